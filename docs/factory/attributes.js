// Attributes in groups, and the vector of zeros and ones that the network takes.

export const FREE = "free";
export const NONE = "none";

export const vectorLength = (groups) => groups.reduce((sum, { names }) => sum + names.length, 0);

/**
 * The vector for what was chosen in each group: an index of a name, NONE, or FREE. What is free
 * is taken from the vector `own`; without one, it is drawn by lot.
 */
export function vectorOf(groups, choices, own = null) {
  const vector = new Float32Array(vectorLength(groups));
  let start = 0;
  groups.forEach((group, g) => {
    let choice = choices[g] ?? FREE;
    if (choice === FREE && own) {
      vector.set(own.slice(start, start + group.names.length), start);
    } else {
      if (choice === FREE) choice = byLot(group);
      if (choice !== NONE) vector[start + choice] = 1;
    }
    start += group.names.length;
  });
  return vector;
}

/** One of the names, all alike; in a group that may be missing, nothing in half of the cases. */
function byLot({ names, optional }) {
  if (optional && Math.random() < 0.5) return NONE;
  return Math.floor(Math.random() * names.length);
}

/** For each group, the names of a vector with their shares: `[{group, parts: [[name, share]]}]`. */
export function partsOf(groups, vector) {
  let start = 0;
  return groups.map((group) => {
    const shares = Array.from(vector.slice(start, start + group.names.length));
    start += group.names.length;
    const parts = shares.map((share, i) => [i, share]).filter(([, share]) => share > 0.005);
    return { group, parts };
  });
}
