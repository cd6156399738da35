// The share seed of a character: its noise as 16-bit floats, little-endian, in URL-safe base64.
// 100 numbers are 200 bytes, 268 letters.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The 16 bits of the half-precision float that is nearest; of two as near, the even one. */
export function toHalf(value) {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (magnitude < 0x38800000) {
    const scaled = Math.abs(float[0]) * 2 ** 24; // below the normal halves: steps of 2^-24
    const floor = Math.floor(scaled);
    const rest = scaled - floor;
    return sign | (floor + (rest > 0.5 || (rest === 0.5 && floor % 2) ? 1 : 0));
  }
  return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
}

/** The number that 16 bits stand for. */
export function fromHalf(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The noise with every number rounded to what a seed can hold. */
export function rounded(noise) {
  return Float32Array.from(noise, (value) => fromHalf(toHalf(value)));
}

export function encodeSeed(noise) {
  let bytes = "";
  for (const value of noise) {
    const half = toHalf(value);
    bytes += String.fromCharCode(half & 255, half >>> 8);
  }
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_");
}

/** The noise of a seed. An error's `code` says what is wrong; `found` and `expected` are lengths. */
export function decodeSeed(text, size) {
  const letters = text.replace(/\s/g, "");
  const expected = Math.ceil((size * 2) / 3) * 4;
  if (letters.length !== expected || !/^[\w-]+={0,2}$/.test(letters)) {
    throw Object.assign(new Error("not a seed"), {
      code: letters.length === expected ? "seed-letters" : "seed-length",
      found: letters.length,
      expected,
    });
  }
  let bytes;
  try {
    bytes = atob(letters.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw Object.assign(new Error("not a seed"), { code: "seed-letters" });
  }
  const noise = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    noise[i] = fromHalf(bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8));
  }
  if (bytes.length !== 2 * size || !noise.every(Number.isFinite)) {
    throw Object.assign(new Error("not a seed"), { code: "seed-letters" });
  }
  return noise;
}
