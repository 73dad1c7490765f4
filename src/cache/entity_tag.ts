/** Entity tags (RFC 9110 §8.8.3). */

/**
 * The entity tag that an `ETag` holds, as it is to be sent back; `null` for what is none (RFC 9110 §8.8.3). Several
 * are none.
 */
export function entityTagOf(etag: string): string | null {
  const from = etag.startsWith("W/") ? 3 : 1;
  if (etag.length < from + 1 || etag[from - 1] !== '"' || etag[etag.length - 1] !== '"') return null;
  return etag.indexOf('"', from) === etag.length - 1 && !etag.includes(" ") ? etag : null;
}
