import { assertEquals } from "@std/assert";
import { isPrivateGroup, isPrivateIn } from "../../src/files/private_group.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/sh
ann:x:1001:1002:Ann:/home/ann:/bin/sh
bob:x:1002:1003::/home/bob:/bin/sh
cid:x:1003:100::/home/cid:/bin/sh
dan:x:1004:100::/home/dan:/bin/sh
eve:x:1005:1006::/home/eve:/bin/sh
`;
const GROUP = `root:x:0:
users:x:100:
ann:x:1002:
bob:x:1003:bob
eve:x:1006:eve,ann
docker:x:998:ann
`;

Deno.test("a group is a user's own that is its primary one and has no other member, whatever its number", () => {
  const cases: [uid: number, gid: number, expected: boolean][] = [
    [1001, 1002, true],
    [1002, 1003, true],
    // of two users, with another member, of another user, no primary one
    [1003, 100, false],
    [1005, 1006, false],
    [1001, 1003, false],
    [1001, 998, false],
    // not known
    [1001, 5, false],
    [7, 1002, false],
  ];
  for (const [uid, gid, expected] of cases) {
    assertEquals(isPrivateIn(PASSWD, GROUP, uid, gid), expected, `${uid} ${gid}`);
  }
  assertEquals(isPrivateIn(PASSWD, "", 1001, 1002), false);
  assertEquals(isPrivateIn("", GROUP, 1001, 1002), false);
});

Deno.test({
  name: "without the permission to read these files no group is known to be a user's own",
  permissions: { read: false },
  fn() {
    assertEquals(isPrivateGroup(1001, 1002), false);
  },
});
