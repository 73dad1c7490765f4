/** Reads lists of structured fields (RFC 9651 §4.2.1), as far as `Cache-Status` and `Proxy-Status` have them. */

export interface Member {
  /** The token or the string that names the member. */
  readonly name: string;
  /** By name in lower case; `true` for one without a value. */
  readonly parameters: ReadonlyMap<string, string | number | boolean>;
}

/** More members are no list of proxies that anybody passed. */
const MAX_MEMBERS = 64;

const TOKEN = /[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*/y;
const STRING = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
const NUMBER = /-?[0-9]{1,15}(?:\.[0-9]{1,3})?/y;
const BOOLEAN = /\?([01])/y;
const BYTES = /:[A-Za-z0-9+/=]*:/y;
const KEY = /[a-z*][a-z0-9_.*-]*/y;
const SPACES = / */y;
const COMMA = /[ \t]*,[ \t]*/y;

/** The members in their order, the one nearest to the origin first; `null` for what is no such list. */
export function readMembers(text: string): readonly Member[] | null {
  const reader = new Reader(text.replace(/^[ \t]+|[ \t]+$/g, ""));
  const members: Member[] = [];
  if (reader.atEnd) return members;
  for (;;) {
    const name = reader.nameOfMember();
    if (name === null || members.length === MAX_MEMBERS) return null;
    const parameters = reader.parameters();
    if (parameters === null) return null;
    members.push({ name, parameters });
    if (reader.atEnd) return members;
    if (reader.take(COMMA) === null) return null;
  }
}

class Reader {
  #at = 0;

  constructor(readonly text: string) {}

  get atEnd(): boolean {
    return this.#at === this.text.length;
  }

  /** What a pattern matches here; `null` when it does not. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  nameOfMember(): string | null {
    return this.take(TOKEN)?.[0] ?? this.#string();
  }

  parameters(): Map<string, string | number | boolean> | null {
    const parameters = new Map<string, string | number | boolean>();
    while (this.text[this.#at] === ";") {
      this.#at++;
      this.take(SPACES);
      const key = this.take(KEY)?.[0];
      if (key === undefined) return null;
      if (this.text[this.#at] !== "=") {
        parameters.set(key, true);
        continue;
      }
      this.#at++;
      const value = this.#value();
      if (value === null) return null;
      parameters.set(key, value);
    }
    return parameters;
  }

  #value(): string | number | boolean | null {
    const text = this.#string() ?? this.take(TOKEN)?.[0] ?? this.take(BYTES)?.[0];
    if (text !== undefined) return text;
    const boolean = this.take(BOOLEAN)?.[1];
    if (boolean !== undefined) return boolean === "1";
    const number = this.take(NUMBER)?.[0];
    return number === undefined ? null : Number(number);
  }

  #string(): string | null {
    const inner = this.take(STRING)?.[1];
    return inner === undefined ? null : inner.replace(/\\(.)/g, "$1");
  }
}
