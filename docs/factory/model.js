// A generator in a file, and the small JSON beside it that names its attributes.

const RUNTIME = new URL("onnxruntime/", import.meta.url).href;

function failure(code, details = {}) {
  return Object.assign(new Error(code), { code, details });
}

/** Reads the JSON beside a model; an error says which entry is wrong. */
export function readDescription(text) {
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    throw failure("description-broken", { entry: "{ }" });
  }
  const wrong = (entry) => failure("description-broken", { entry });
  const whole = (value, most) => Number.isInteger(value) && value > 0 && value <= most;
  if (!whole(found?.latent_dim, 65536)) throw wrong("latent_dim");
  const shape = found.image_shape;
  const fits = Array.isArray(shape) && shape.length === 3 && shape.every((n) => whole(n, 4096));
  if (!fits || ![1, 3].includes(shape[2])) throw wrong("image_shape");
  const groups = found.attributes ?? [];
  const texts = (value) =>
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");
  const good = (group) => typeof group?.group === "string" && texts(group.names);
  if (!Array.isArray(groups) || !groups.every(good)) throw wrong("attributes");
  return { ...found, attributes: groups };
}

/** The model on the site, as `{name, bytes, description}`; `address` has no ending. */
export async function fetchModel(address) {
  const name = address.split("/").pop();
  const get = async (ending, code) => {
    let answer;
    try {
      answer = await fetch(new URL(`${address}.${ending}`, import.meta.url));
    } catch {
      throw failure(code, { name });
    }
    if (!answer.ok) throw failure(code, { name });
    return ending === "json" ? answer.text() : answer.arrayBuffer();
  };
  const [bytes, text] = await Promise.all([
    get("onnx", "model-missing"),
    get("json", "model-missing"),
  ]);
  return { name, bytes, description: readDescription(text) };
}

/** The model in files of the reader: one .onnx and one .json. */
export async function readModel(files) {
  const find = (ending) => [...files].find((file) => file.name.toLowerCase().endsWith(ending));
  const [network, description] = [find(".onnx"), find(".json")];
  if (!network || !description) throw failure("files-needed");
  return {
    name: network.name.replace(/\.onnx$/i, ""),
    bytes: await network.arrayBuffer(),
    description: readDescription(await description.text()),
  };
}

/** The network, which works in a thread of its own. */
export class Network {
  #worker;
  #waiting = new Map();
  #count = 0;

  constructor() {
    this.#worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data: { id, result, error } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) reject(Object.assign(new Error(error.message), error));
      else resolve(result);
    };
    this.#worker.onerror = () => {
      for (const { reject } of this.#waiting.values()) reject(failure("runtime-missing"));
      this.#waiting.clear();
    };
  }

  #ask(task, rest, transfer = []) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(++this.#count, { resolve, reject });
      this.#worker.postMessage({ id: this.#count, task, ...rest }, transfer);
    });
  }

  /** Fetches the runtime while the model is still under way. */
  warmUp() {
    return this.#ask("runtime", { folder: RUNTIME });
  }

  async load({ name, bytes, description }) {
    const size = bytes.byteLength;
    await this.#ask("load", { folder: RUNTIME, bytes, description }, [bytes]);
    this.size = size;
    this.name = description.name ?? name;
    this.description = description;
  }

  /** Pictures of characters `{noise, attributes}`, as ImageData. */
  async draw(characters) {
    const [height, width] = this.description.image_shape;
    const pixels = await this.#ask("draw", {
      noises: characters.map(({ noise }) => noise),
      vectors: characters.map(({ attributes }) => Float32Array.from(attributes)),
    });
    return pixels.map((values) => new ImageData(values, width, height));
  }
}
