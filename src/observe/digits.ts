/** Digits that lines are made of over and over, ready to be joined: making them anew is slower than a look-up. */

const THREE: string[] = [];
for (let number = 0; number < 1000; number++) {
  THREE.push(number < 10 ? `00${number}` : number < 100 ? `0${number}` : `${number}`);
}

const ONE_DECIMAL: string[] = [];
for (let tenths = 0; tenths < 100; tenths++) ONE_DECIMAL.push(`${Math.floor(tenths / 10)}.${tenths % 10}`);

/** A whole number from 0 to 999 with its leading zeros. */
export function threeDigits(number: number): string {
  return THREE[number];
}

/** One decimal below 10, none above: `0.4`, `9.9`, `12`. */
export function shortNumber(value: number): string {
  const tenths = Math.round(value * 10);
  return tenths < 100 ? ONE_DECIMAL[tenths] : `${Math.round(value)}`;
}
