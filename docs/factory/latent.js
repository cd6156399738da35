// Noise vectors, and the ways between two of them.

import { rounded } from "./seed.js";

/** Noise from N(0, 1), in numbers that a share seed can hold. */
export function randomNoise(size) {
  const noise = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random())); // Box and Muller
    noise[i] = radius * Math.cos(2 * Math.PI * Math.random());
  }
  return rounded(noise);
}

/** The point on the straight line; at 0 it is `a`, at 1 it is `b`. */
export function lerp(a, b, share) {
  return Float32Array.from(a, (value, i) => (1 - share) * value + share * b[i]);
}

/** The point on the arc. It keeps the length of noise, which the straight line shortens. */
export function slerp(a, b, share) {
  const dot = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  if (!(sine > 1e-4)) return lerp(a, b, share); // the same direction, or opposite ones, or zeros
  const first = Math.sin((1 - share) * angle) / sine;
  const second = Math.sin(share * angle) / sine;
  return Float32Array.from(a, (value, i) => first * value + second * b[i]);
}

/** `path(a, b, share)` at `count` equal steps, the first of them `a` and the last `b`. */
export function steps(path, a, b, count = 7) {
  return Array.from({ length: count }, (_, i) => {
    if (i === 0) return Float32Array.from(a);
    if (i === count - 1) return Float32Array.from(b);
    return path(a, b, i / (count - 1));
  });
}
