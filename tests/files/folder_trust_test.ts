import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  isFault,
  isOwn,
  judgeFolder,
  type Ownership,
  writableByOthers,
} from "../../src/files/folder_trust.ts";

const ignore = Deno.build.os === "windows";

/** A folder of this mode, for the time of a test. */
function withFolder(mode: number, use: (path: string) => void): void {
  const path = Deno.makeTempDirSync({ dir: "/tmp", prefix: "weir-trust-" });
  try {
    Deno.chmodSync(path, mode);
    use(path);
    assertEquals([...Deno.readDirSync(path)], [], "nothing is left in it");
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

Deno.test({
  name: "a folder that its owner alone may write is trusted, and one that others only read too",
  ignore,
  fn() {
    for (const mode of [0o700, 0o755, 0o2750]) {
      withFolder(mode, (path) => {
        const judged = judgeFolder(path);
        assert(!isFault(judged));
        assertEquals(judged, { uid: Deno.statSync(path).uid, shared: false });
      });
    }
  },
});

Deno.test({
  name: "a folder that all may write is not trusted, and it is said what to do",
  ignore,
  fn() {
    withFolder(0o777, (path) => {
      const judged = judgeFolder(path);
      if (!isFault(judged)) throw new Error("it is trusted");
      assertEquals(judged.path, path);
      assertStringIncludes(judged.advice, `chmod o-w ${path}`);
    });
  },
});

Deno.test({
  name: "where all may write and change only what is theirs it matters whose a file is",
  ignore,
  fn() {
    withFolder(0o1777, (path) => {
      const judged = judgeFolder(path);
      assertEquals(judged, { uid: Deno.statSync(path).uid, shared: true });
    });
  },
});

Deno.test({
  name: "a folder that is not there, and one that is none, cannot be judged",
  ignore,
  fn() {
    withFolder(0o700, (path) => {
      assertThrows(() => judgeFolder(`${path}/none`), Deno.errors.NotFound);
    });
    assertThrows(() => judgeFolder("/dev/null"));
  },
});

Deno.test("a file is other users' to write by its mode, unless the group is its owner's own or root's", () => {
  const file = (mode: number, uid: number, gid: number): Ownership => ({ mode, uid, gid });
  const cases: [Ownership, boolean][] = [
    [file(0o600, 1000, 1000), false],
    [file(0o644, 1000, 100), false],
    [file(0o664, 1000, 1000), false],
    [file(0o664, 1000, 0), false],
    [file(0o664, 4_000_001, 100), true],
    [file(0o646, 1000, 1000), true],
    [{ mode: null, uid: null, gid: null }, false],
  ];
  for (const [info, expected] of cases) assertEquals(writableByOthers(info), expected, JSON.stringify(info));
});

Deno.test("root's files are as good as one's own", () => {
  const of = (uid: number) => isOwn({ mode: 0o600, uid, gid: uid }, 1000);
  assertEquals([of(0), of(1000), of(1001)], [true, true, false]);
});
