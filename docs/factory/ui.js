// Building blocks of the page.

import { text } from "./texts.js";

/** Makes an element: `h("button", {class: "x", onclick: f}, "text", otherElement)`. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function paint(canvas, image) {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.classList.remove("is-waiting");
}

/** The picture of one character: press it for details, press its heart to keep it. */
export function card(character, name, { open, toggle }) {
  const canvas = h("canvas", { class: "is-waiting", role: "img", "aria-label": name });
  const details = h(
    "button",
    { type: "button", class: "f-picture", "aria-label": text("look", { name }), onclick: open },
    canvas
  );
  const heart = heartButton(toggle);
  const element = h("li", { class: "f-card" }, details, heart);
  return { element, canvas, heart, character };
}

export function heartButton(toggle) {
  const button = h("button", { type: "button", class: "f-heart", onclick: toggle });
  const path = "M12 20.5 4.2 12.7a5 5 0 0 1 7.1-7.1l.7.7.7-.7a5 5 0 0 1 7.1 7.1Z";
  button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
  return button;
}

export function setHeart(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
  const label = text(pressed ? "removeFavourite" : "addFavourite");
  button.setAttribute("aria-label", label);
  button.title = label;
}

/** A row of small pictures to choose one from: radio buttons, so that arrow keys work. */
export function picker(label, group, characters, chosen, choose) {
  const options = characters.map((character, i) => {
    const canvas = h("canvas", { class: "is-waiting", "aria-hidden": "true" });
    if (character.image) paint(canvas, character.image);
    const input = h("input", {
      type: "radio",
      name: group,
      checked: character === chosen,
      "aria-label": text("numbered", { n: i + 1 }),
      onchange: () => choose(character),
    });
    return h("label", { class: "f-option" }, input, canvas);
  });
  return h(
    "fieldset",
    { class: "f-picker" },
    h("legend", {}, label),
    h("div", { class: "f-options" }, ...options)
  );
}

/** Tabs as WAI-ARIA describes them: one tab stop, arrow keys, Home and End. */
export function tabs(label, names, title, select) {
  const buttons = names.map((name) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `f-tab-${name}`,
        "aria-controls": "f-panel",
        onclick: () => select(name),
      },
      title(name)
    )
  );
  const list = h("div", { class: "f-tabs", role: "tablist", "aria-label": label }, ...buttons);
  list.addEventListener("keydown", (event) => {
    const now = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined || now < 0) return;
    event.preventDefault();
    const next = buttons.at(to % buttons.length);
    next.focus();
    next.click();
  });
  const show = (chosen) => {
    names.forEach((name, i) => {
      buttons[i].setAttribute("aria-selected", String(name === chosen));
      buttons[i].tabIndex = name === chosen ? 0 : -1;
      buttons[i].textContent = title(name);
    });
  };
  return { list, show };
}

export function download(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Saves pictures side by side as one PNG, with exactly their pixels. */
export async function savePng(images, name) {
  const [{ width, height }] = images;
  const canvas = h("canvas", { width: width * images.length, height });
  const context = canvas.getContext("2d");
  images.forEach((image, i) => context.putImageData(image, i * width, 0));
  download(await new Promise((done) => canvas.toBlob(done, "image/png")), name);
}
