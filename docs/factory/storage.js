// Favourites: kept in the browser, newest first, and written to and read from files.

const PREFIX = "kdg-factory:";
const FORMAT = "keras_design_gans favourites";
export const DEFAULT_LIMIT = 7;

export function getSetting(name, fallback) {
  try {
    return localStorage.getItem(PREFIX + name) ?? fallback;
  } catch {
    return fallback; // a browser that keeps nothing
  }
}

/** Keeps a text in the browser; returns whether that worked. */
export function setSetting(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
    return true;
  } catch {
    return false;
  }
}

/** The favourites of one model: records `{seed, attributes}`. */
export class Favourites {
  constructor(model, seedLength, attributeCount) {
    this.model = model;
    this.fits = (record) =>
      typeof record?.seed === "string" &&
      record.seed.length === seedLength &&
      /^[\w-]+={0,2}$/.test(record.seed) &&
      Array.isArray(record.attributes) &&
      record.attributes.length === attributeCount &&
      record.attributes.every(Number.isFinite);
    this.limit = Number(getSetting("limit", DEFAULT_LIMIT)) || DEFAULT_LIMIT;
    this.saved = true;
    let records = [];
    try {
      records = JSON.parse(getSetting(this.key, "[]"));
    } catch {
      // what cannot be read counts as no favourites
    }
    this.records = Array.isArray(records) ? records.filter(this.fits).slice(0, this.limit) : [];
  }

  get key() {
    return `favourites:${this.model}`;
  }

  indexOf(record) {
    const attributes = JSON.stringify(record.attributes);
    return this.records.findIndex(
      (other) => other.seed === record.seed && JSON.stringify(other.attributes) === attributes
    );
  }

  /** Puts a record first; returns how many old ones had to go. */
  add(record) {
    if (this.indexOf(record) >= 0) return 0;
    this.records.unshift(record);
    return this.#keep();
  }

  remove(record) {
    const index = this.indexOf(record);
    if (index >= 0) this.records.splice(index, 1);
    this.#keep();
  }

  setLimit(limit) {
    this.limit = limit;
    setSetting("limit", String(limit));
    return this.#keep();
  }

  toFile() {
    return JSON.stringify(
      { format: FORMAT, version: 1, model: this.model, favourites: this.records },
      null,
      1
    );
  }

  /** Adds the records of a file in its order; returns how many are new and how many had to go. */
  addFile(text) {
    let content;
    try {
      content = JSON.parse(text);
    } catch {
      throw Object.assign(new Error("no JSON"), { code: "favourites-broken" });
    }
    if (content?.format !== FORMAT || !Array.isArray(content.favourites)) {
      throw Object.assign(new Error("another format"), { code: "favourites-broken" });
    }
    const records = content.favourites
      .filter(this.fits)
      .map(({ seed, attributes }) => ({ seed, attributes }));
    if (content.favourites.length && !records.length) {
      throw Object.assign(new Error("another model"), {
        code: "favourites-other",
        model: String(content.model),
      });
    }
    let dropped = 0;
    let added = 0;
    for (const record of records.reverse()) {
      if (this.indexOf(record) >= 0) continue;
      dropped += this.add(record);
      added += 1;
    }
    return { added, dropped };
  }

  #keep() {
    const dropped = this.records.splice(this.limit).length;
    this.saved = setSetting(this.key, JSON.stringify(this.records));
    return dropped;
  }
}
