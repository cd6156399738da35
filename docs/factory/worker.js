// Runs the network beside the page, so that the page stays awake. Messages: {id, task, ...}.

let ort = null;
let current = null; // {session, noise, attributes, output, description}

function failure(code, message = "", details = {}) {
  return Object.assign(new Error(message), { code, details });
}

// An ONNX file that copies one number. Opening it starts the runtime, while the model is fetched.
const COPY = "CAgSADo3ChAKAXgSAXkiCElkZW50aXR5EgFnWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQDw==";

async function loadRuntime(folder) {
  if (ort) return;
  try {
    const module = await import(`${folder}ort.wasm.min.mjs`);
    module.env.wasm.wasmPaths = folder;
    module.env.wasm.numThreads = 1; // threads need headers that simple hosts do not send
    module.env.logLevel = "error";
    const bytes = Uint8Array.from(atob(COPY), (letter) => letter.charCodeAt(0));
    await (await module.InferenceSession.create(bytes)).release();
    ort = module;
  } catch (error) {
    throw failure("runtime-missing", error.message);
  }
}

async function run({ session, noise, attributes, output, description }, noises, vectors) {
  const count = noises.length;
  const flat = (rows, width) => {
    const all = new Float32Array(count * width);
    rows.forEach((row, i) => all.set(row, i * width));
    return new ort.Tensor("float32", all, [count, width]);
  };
  const feeds = { [noise]: flat(noises, description.latent_dim) };
  if (attributes) feeds[attributes] = flat(vectors, vectors[0].length);
  const { data, dims } = (await session.run(feeds))[output];
  const expected = [count, ...description.image_shape];
  if (dims.length !== 4 || expected.some((size, i) => size !== dims[i])) {
    throw failure("model-shape", "", { expected: expected.join(" × "), found: dims.join(" × ") });
  }
  return data;
}

/** Pixels for a canvas: red, green, blue, alpha. */
function toPixels(data, [height, width, channels], index) {
  const pixels = new Uint8ClampedArray(height * width * 4);
  const start = index * height * width * channels;
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      const value = data[start + i * channels + (channels === 3 ? c : 0)];
      pixels[4 * i + c] = ((value + 1) / 2) * 255;
    }
    pixels[4 * i + 3] = 255;
  }
  return pixels;
}

const tasks = {
  async runtime({ folder }) {
    await loadRuntime(folder);
  },

  async load({ folder, bytes, description }) {
    await loadRuntime(folder);
    let session;
    try {
      session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    } catch (error) {
      throw failure("model-broken", error.message);
    }
    const { inputNames: names, outputNames } = session;
    const length = description.attributes.reduce((sum, group) => sum + group.names.length, 0);
    const noise = names.includes("noise") ? "noise" : names[0];
    const attributes = names.find((name) => name !== noise);
    const wanted = { session, noise, attributes, output: outputNames[0], description };
    try {
      if (names.length !== (length ? 2 : 1)) {
        throw failure("model-inputs", "", { found: names.join(", ") });
      }
      const trial = [new Float32Array(description.latent_dim)];
      await run(wanted, trial, [new Float32Array(length)]);
    } catch (error) {
      await session.release();
      throw error.code ? error : failure("model-inputs", error.message, { found: names.join(", ") });
    }
    const before = current?.session;
    current = wanted;
    await before?.release();
  },

  async draw({ noises, vectors }) {
    const data = await run(current, noises, vectors);
    return noises.map((_, i) => toPixels(data, current.description.image_shape, i));
  },
};

let line = Promise.resolve(); // one task after the other
self.onmessage = ({ data: { id, task, ...rest } }) => {
  line = line.then(async () => {
    try {
      self.postMessage({ id, result: await tasks[task](rest) });
    } catch (error) {
      const { code = "failed", message, details = {} } = error;
      self.postMessage({ id, error: { code, message, details } });
    }
  });
};
