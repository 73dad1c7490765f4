/**
 * Whether another user can put a file or a link of their own in the place of one in a folder. In such a folder a path
 * does not name the same file twice, so nothing there is written, given a mode or removed by its path.
 */

import { isPrivateGroup } from "./private_group.ts";

/** Why a folder is not to be written, in words that go on after its path, and a way out of it. */
export interface FolderFault {
  /** The folder itself or one above it. */
  readonly path: string;
  readonly why: string;
  readonly advice: string;
  /** It is this user's or root's, and others may write it too. */
  readonly open: boolean;
}

/** What is known of a folder that only this user and root can change. */
export interface TrustedFolder {
  /** The user that this process runs as; `null` where the system has no numbers for users. */
  readonly uid: number | null;
  /** All may write here, and change only what is theirs, as in /tmp: whose a file is matters. */
  readonly shared: boolean;
}

/** The parts of a file's state that say who may change it. */
export type Ownership = Pick<Deno.FileInfo, "mode" | "uid" | "gid">;

const ROOT = 0;
const STICKY = 0o1000;
const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;

/**
 * Looks at a folder, and for root at those above it, as far as the permissions to read reach: who can move one of those
 * away decides what a path leads to, and root can write anywhere. Makes an empty file in
 * the folder for a moment: that is how the user's number is known without a permission of its own.
 *
 * @param above whether to look at those above it
 * @throws {Deno.errors.NotFound} {Deno.errors.PermissionDenied} {Error} when the folder cannot be written
 */
export function judgeFolder(folder: string, above = true): TrustedFolder | FolderFault {
  const own = ownerOfNewFile(folder);
  if (own === null) return { uid: null, shared: false };
  const info = Deno.statSync(folder);
  const fault = folderFault(folder, info, own);
  if (fault !== null) return fault;
  if (own === ROOT && above) {
    for (const path of foldersAbove(folder)) {
      const fault = folderFault(path, Deno.lstatSync(path), own);
      if (fault !== null) return fault;
    }
  }
  return { uid: own, shared: writableByOthers(info) };
}

export function isFault(judged: TrustedFolder | FolderFault): judged is FolderFault {
  return "why" in judged;
}

/** Whether a file or a folder is this user's or root's. */
export function isOwn({ uid }: Ownership, own: number | null): boolean {
  return own === null || uid === ROOT || uid === own;
}

/**
 * Whether users other than its owner and root may write a file or a folder. A group with the number of the owner is
 * that user's own on systems that give each user one, as far as that can be seen without looking it up; so is one that
 * has no other member. Root's group is as good as root.
 */
export function writableByOthers({ mode, uid, gid }: Ownership): boolean {
  return mode !== null && ((mode & OTHERS_WRITE) !== 0 || groupWrites(mode, uid, gid));
}

function groupWrites(mode: number, uid: number | null, gid: number | null): boolean {
  if ((mode & GROUP_WRITES) === 0 || gid === uid || gid === ROOT) return false;
  return uid === null || gid === null || !isPrivateGroup(uid, gid);
}

/** What is wrong with a single folder. */
function folderFault(path: string, info: Ownership, own: number): FolderFault | null {
  const { mode, uid, gid } = info;
  if (mode === null) return null;
  if (!isOwn(info, own)) {
    return {
      path,
      why: `belongs to another user (${uid}), who can put other files in the place of those in it`,
      advice: "run this as that user, or use a folder of your own",
      open: false,
    };
  }
  if ((mode & STICKY) !== 0) return null;
  if ((mode & OTHERS_WRITE) !== 0) {
    return {
      path,
      why: "can be changed by every user of this machine",
      advice: `take that away by chmod o-w ${path}, or use a folder of your own`,
      open: true,
    };
  }
  if (!groupWrites(mode, uid, gid)) return null;
  return {
    path,
    why: `can be changed by every member of its group (${gid})`,
    advice: `take that away by chmod g-w ${path}, or use a folder of your own`,
    open: true,
  };
}

/** Those above a folder that may be looked at, the nearest first, without links in their paths. */
function* foldersAbove(folder: string): Generator<string> {
  let path = Deno.realPathSync(folder);
  while (path !== "/") {
    path = path.slice(0, path.lastIndexOf("/")) || "/";
    if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return;
    yield path;
  }
}

/** Whose a file is that this process makes in a folder; `null` where files have no owners with numbers. */
function ownerOfNewFile(folder: string): number | null {
  if (Deno.build.os === "windows") return null;
  const path = `${folder}/.weir-${crypto.randomUUID().slice(0, 8)}`;
  // O_EXCL: it is a new file, and follows no link
  const file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  try {
    return file.statSync().uid;
  } finally {
    file.close();
    Deno.removeSync(path);
  }
}
