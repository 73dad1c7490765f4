import { assertEquals } from "@std/assert";
import { type Listed, Roster, UNLISTED } from "../../src/net/roster.ts";

class Member implements Listed {
  place = UNLISTED;

  constructor(readonly name: string) {}
}

function rosterOf(names: string): { roster: Roster<Member>; members: Member[] } {
  const roster = new Roster<Member>();
  const members = [...names].map((name) => new Member(name));
  for (const member of members) roster.add(member);
  return { roster, members };
}

const namesOn = (roster: Roster<Member>) => [...roster].map(({ name }) => name).sort().join("");

Deno.test("who is added is there until it is taken off, once however often either is said", () => {
  const { roster, members: [a, b, c] } = rosterOf("abc");
  roster.add(b);
  assertEquals([namesOn(roster), roster.size], ["abc", 3]);
  roster.delete(a);
  roster.delete(a);
  assertEquals([namesOn(roster), roster.size, a.place], ["bc", 2, UNLISTED]);
  roster.delete(c);
  roster.add(a);
  assertEquals([namesOn(roster), roster.size], ["ab", 2]);
  roster.delete(b);
  roster.delete(a);
  assertEquals([namesOn(roster), roster.size], ["", 0]);
});

Deno.test("it holds what a set holds, whoever comes and goes", () => {
  const { roster, members } = rosterOf("abcdefgh");
  const set = new Set(members);
  let state = 1;
  for (let step = 0; step < 2_000; step++) {
    state = Math.imul(state, 1103515245) + 12345 & 0x7fffffff;
    const member = members[(state >> 8) % members.length];
    if ((state >> 16) % 2 === 0) {
      roster.add(member);
      set.add(member);
    } else {
      roster.delete(member);
      set.delete(member);
    }
    assertEquals(namesOn(roster), [...set].map(({ name }) => name).sort().join(""));
  }
});

Deno.test("whoever goes while all are told, each that stays is told, and who comes is not", () => {
  const names = "abcdef";
  for (let at = 0; at < names.length; at++) {
    for (let first = 0; first < names.length; first++) {
      for (let second = 0; second < names.length; second++) {
        const { roster, members } = rosterOf(names);
        const told = new Set<string>();
        let turn = 0;
        for (const { name } of roster) {
          told.add(name);
          if (turn++ !== at) continue;
          roster.delete(members[first]);
          roster.delete(members[second]);
        }
        const staying = [...names].filter((_, index) => index !== first && index !== second);
        assertEquals(staying.filter((name) => !told.has(name)), [], `${at} ${first} ${second}`);
      }
    }
  }
  const { roster } = rosterOf("ab");
  let told = "";
  for (const { name } of roster) {
    told += name;
    if (told.length === 1) roster.add(new Member("c"));
  }
  assertEquals(told, "ba");
});

Deno.test("telling all comes to an end though each that is told makes room for two others", () => {
  const { roster, members: [a, b, c] } = rosterOf("abc");
  const told: Member[] = [];
  for (const member of roster) {
    told.push(member);
    roster.delete(member);
    roster.add(new Member("x"));
    roster.add(new Member("y"));
  }
  assertEquals([told.slice(0, 3), roster.size], [[c, b, a], 6]);
});
