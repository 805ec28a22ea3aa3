// One image, and what can be made of it.

import { attempt, clear, fail, get, newest, post } from "./api.js";
import { el, number, picture, slider, source, tile, words } from "./parts.js";

export function image(about, tray, id) {
  const section = el("section", {}, el("h2", {}, "One image"));
  if (!id) {
    section.append(el("p", {}, "Open an image by the words below it, on the wall or in the tray."));
    return section;
  }
  attempt(async () => section.replaceChildren(...view(about, tray, await get(`items/${id}`))));
  return section;
}

function view(about, tray, item) {
  let moved = item;
  const figure = picture(item), shown = figure.querySelector("img"), caption = figure.querySelector("figcaption");
  const keep = el("button", { type: "button", class: "main", onclick: () => tray.toggle(moved.id) });
  const name = () => { keep.textContent = tray.has(moved.id) ? "Remove from the tray" : "Keep in the tray"; };
  name();
  tray.onchange(name);

  return [
    el("h2", {}, words(item)),
    el("div", { class: "pair" }, el("div", {}, figure, el("p", {}, keep), latent()), el("div", {}, ...directions(), nearest())),
    ...neighbours(), ...together(),
  ];

  function show(found) {
    moved = found;
    shown.src = source(found);
    caption.textContent = shown.alt = words(found);
    name();
  }

  function latent() {
    const rows = item.w.map((layer) => layer.join(" "));
    const what = rows.length === 1 ? "w, the same for all layers" : `w of ${rows.length} layers`;
    return el("details", {}, el("summary", {}, what), el("code", { class: "command", tabindex: 0 }, rows.join("\n")));
  }

  function directions() {
    const stream = Math.random().toString(36).slice(2), moves = {}, all = [];
    const ask = newest(async () => {
      const late = setTimeout(() => figure.setAttribute("aria-busy", "true"), 150);
      try {
        const found = await post("moved", { id: item.id, moves, stream });
        clear();
        show(found);
        await shown.decode();
      } catch (error) {
        fail(error);
      } finally {
        clearTimeout(late);
        figure.removeAttribute("aria-busy");
      }
    });
    const make = (direction) => {
      const one = slider(direction, -3, 3, 0.1, 0, (amount) => { moves[direction] = amount; ask(); });
      all.push(one);
      return one.node;
    };
    const reset = () => { for (const one of all) one.set(0); for (const key in moves) delete moves[key]; ask(); };
    const { labels, principal } = about.directions;
    return [
      el("h2", {}, "Move it"),
      el("p", { class: "note" }, "In standard deviations. A direction is found when it is first used, which takes seconds."),
      ...(labels.length ? [el("h3", {}, "By label"), el("div", { class: "sliders" }, ...labels.map(make))] : []),
      el("h3", {}, "By what varies most"), el("div", { class: "sliders" }, ...principal.map(make)),
      el("p", {}, el("button", { type: "button", onclick: reset }, "Back to 0")),
    ];
  }

  function nearest() {
    if (about.no_real_images || !about.is_run) return null;
    const list = el("div", { class: "trio" });
    const ask = () => attempt(async () => {
      const { images } = await get(`items/${moved.id}/nearest`);
      list.replaceChildren(...images.map((one) => picture({ png: one.png }, `${one.name}, distance ${one.distance}`)));
    }, "looking for the nearest training images …");
    return el("div", {}, el("h2", {}, "Nearest training images"),
      el("button", { type: "button", onclick: ask }, "Look for them"), list);
  }

  function neighbours() {
    const strength = slider("strength", 0, 1, 0.05, 0.3), list = el("ul", { class: "grid", "aria-label": "Neighbours" });
    let seed = 0;
    const ask = (again) => attempt(async () => {
      seed = again ? seed + 1 : seed;
      const found = await post("varied", { id: moved.id, strength: strength.value, count: 8, seed });
      list.replaceChildren(...found.items.map((one) => tile(one, tray)));
    }, "making neighbours …");
    return [el("h2", {}, "Neighbours"), el("div", { class: "controls" }, strength.node,
      el("button", { type: "button", onclick: () => ask(false) }, "Make neighbours"),
      el("button", { type: "button", onclick: () => ask(true) }, "Others")), list];
  }

  function together() {
    const other = el("select", {}), result = el("div", {}), strip = el("div", { class: "strip", tabindex: 0, "aria-label": "Interpolation" });
    const fill = () => {
      const before = other.value;
      other.replaceChildren(...tray.items.map((one) => el("option", { value: one.id }, words(one))));
      const first = tray.items.find((one) => one.id !== item.id);
      if (before && tray.has(before)) other.value = before;
      else if (first) other.value = first.id;
      hint.hidden = tray.items.length > 0;
      for (const button of buttons) button.disabled = !tray.items.length;
    };
    const top = about.layers - 1;
    const first = number("from layer", 0, 0, top), last = number("to layer", Math.floor(top / 2), 0, top), frames = number("frames", 12, 2, 48);
    const thirds = about.thirds.map(([low, high], index) => el("button", {
      type: "button", onclick: () => { first.input.value = low; last.input.value = high; mix(); },
    }, ["coarse", "middle", "fine"][index]));
    const mix = () => attempt(async () => {
      const made = await post("mixed", { id: moved.id, other: other.value, first: first.value, last: last.value });
      result.replaceChildren(el("ul", { class: "grid" }, tile(made, tray)));
    }, "mixing …");
    let playing = 0;
    const between = () => attempt(async () => {
      const { items } = await post("interpolated", { id: moved.id, other: other.value, frames: frames.value });
      const stage = el("img", { src: source(items[0]), alt: "animation of the interpolation" });
      const play = el("button", { type: "button", onclick: () => {
        if (playing) { clearInterval(playing); playing = 0; play.textContent = "Play"; return; }
        let place = 0;
        play.textContent = "Pause";
        playing = setInterval(() => {
          if (!stage.isConnected) { clearInterval(playing); playing = 0; return; }
          place = (place + 1) % (2 * items.length - 2 || 1);
          stage.src = source(items[place < items.length ? place : 2 * items.length - 2 - place]);
        }, 90);
      } }, "Play");
      strip.replaceChildren(...items.map((one) => el("a", { href: `#image/${one.id}` }, el("img", { src: source(one), alt: words(one) }))));
      result.replaceChildren(el("figure", { class: "picture" }, stage), play, strip);
    }, "interpolating …");
    const hint = el("p", { class: "note" }, "Keep another image in the tray first.");
    const buttons = [...thirds, el("button", { type: "button", onclick: mix }, "Mix"), el("button", { type: "button", onclick: between }, "Interpolate")];
    fill();
    tray.onchange(fill);
    return [el("h2", {}, "With another image"), hint,
      el("div", { class: "controls" }, el("label", {}, "of the tray", other), first.node, last.node, ...buttons.slice(0, -1)),
      el("div", { class: "controls" }, frames.node, buttons.at(-1)), el("div", { class: "trio" }, result)];
  }
}
