/** Groups that are one user's own, as many systems give each user one: its number need not be the user's. */

const MAX_SIZE = 4 * 2 ** 20;

/**
 * Whether a group is the primary one of this user and has no other member, by /etc/passwd and /etc/group. False where
 * these may not be read, or do not know the user and the group.
 */
export function isPrivateGroup(uid: number, gid: number): boolean {
  return isPrivateIn(textOf("/etc/passwd"), textOf("/etc/group"), uid, gid);
}

/** The same by the texts of these two files. */
export function isPrivateIn(passwd: string, group: string, uid: number, gid: number): boolean {
  const users = entriesIn(passwd);
  const user = users.find((entry) => entry[2] === `${uid}`);
  if (user === undefined || user[3] !== `${gid}`) return false;
  if (users.some((entry) => entry[3] === `${gid}` && entry[2] !== `${uid}`)) return false;
  const groups = entriesIn(group).filter((entry) => entry[2] === `${gid}`);
  return groups.length > 0 && groups.every((entry) => {
    return (entry[3] ?? "").split(",").every((member) => member === "" || member === user[0]);
  });
}

/** The lines of such a file, each split at its colons. */
function entriesIn(text: string): string[][] {
  return text.split("\n").map((line) => line.split(":"));
}

/** `""` for a file that may not be read. */
function textOf(path: string): string {
  try {
    if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return "";
    return Deno.statSync(path).size > MAX_SIZE ? "" : Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
