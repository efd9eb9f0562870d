// The pictures of one image: a row per kind of layer, a column per recipe. What the data name is drawn; no kind is known here.
"use strict";

window.report = window.report || {};

report.galleryBoard = (data, enlarge) => {
  const { element } = report;
  const numbers = new Map(data.images.map((image, index) => [image, String(index).padStart(6, "0")]));
  const percent = (value) => (100 * value).toFixed(1);

  const colour = (label) => `rgb(${(data.colours[label] || [255, 255, 255]).join(" ")})`;
  const swatch = (label) => {
    const made = element("span", { className: "swatch", "aria-hidden": "true" });
    made.style.background = colour(label);
    return made;
  };
  const name = (label) => (label === 0 ? "background" : data.classes[label - 1]);
  const named = (label) => element("span", { className: "named" }, swatch(label), name(label));

  const file = (folder, image, ending) => `pictures/${folder}/${numbers.get(image)}${encodeURIComponent(ending)}`;
  const photograph = (image) => file("photographs", image, ".jpg");

  // One picture over another; the first is the photograph.
  function picture(source, alt, fades) {
    return element("img", { src: source, alt, loading: "lazy", decoding: "async", draggable: false, className: fades ? "fades" : "" });
  }

  // What a layer holds of an image: panels of [suffix, caption, class, score]; undefined if nothing.
  const panels = (image, layer) => image.panels.find(([index]) => index === layer)?.[1];

  function stack(image, layer, suffix, alt) {
    const { folder, parts } = data.layers[layer];
    const over = parts.map(([part, fades]) => picture(file(folder, image, `${suffix}${part}.png`), "", fades));
    over.forEach((one, index) => one.classList.toggle("outline", parts[index][0] !== ""));
    return [picture(photograph(image), alt, false), ...over];
  }

  function box(image, pictures, label, open) {
    const made = element("button", { type: "button", className: "box", title: "enlarge", "aria-label": label }, ...pictures);
    made.style.aspectRatio = `${image.size[1]} / ${image.size[0]}`;
    made.addEventListener("click", open);
    return made;
  }

  function caption([, text = "", label = null, score = null]) {
    if (!text) return null;
    const shown = element("span", { className: "named" }, ...(label ? [swatch(label)] : []), text);
    const told = score === null ? [] : [" ", element("b", {}, score.toFixed(2))];
    return element("span", { title: score === null ? "" : "the classifier's score: the probability of this class" }, shown, ...told);
  }

  // The IoU of an image in a layer, in percent, and that of each of its classes.
  function scores(image, layer) {
    const found = image.iou.find(([index]) => index === layer);
    if (!found || found[1] === null) return null;
    const classes = found[2].map(([label, value]) => `${name(label)} ${percent(value)}`).join(", ");
    return element("p", { className: "iou" }, element("b", {}, `IoU ${percent(found[1])}`), ` ${classes}`);
  }

  // What a layer holds of an image; `recipe` is empty if it is the same for all.
  function cell(image, layer, recipe) {
    const about = data.layers[layer];
    const head = element("p", { className: "of" }, element("b", {}, recipe), recipe && about.choice ? " " : "", about.choice);
    const held = panels(image, layer);
    if (!held) return element("div", { className: "cell" }, head, element("p", { className: "faint" }, `no ${about.row} of this image`));
    if (!held.length) return element("div", { className: "cell" }, head, element("p", { className: "faint" }, "nothing to show: the image has no tag"));
    const figures = held.map((panel) => {
      const label = [about.row, panel[1], recipe, image.id].filter(Boolean).join(", ");
      const open = () => enlarge({ row: about.row, layer, suffix: panel[0] || "" });
      return element("figure", {}, box(image, stack(image, layer, panel[0] || "", label), label, open), element("figcaption", {}, caption(panel)));
    });
    const made = element("div", { className: "panels" }, ...figures);
    if (figures.length > 4) made.style.setProperty("--across", 3); // many moments or classes: small, to be compared at a glance
    return element("div", { className: "cell" }, head, made, scores(image, layer));
  }

  const layerOf = (row, recipe, split) =>
    data.layers.findIndex((layer) => layer.row === row && layer.split === split && layer.recipes.includes(recipe));

  // The headings of the rows that images of a split have; the first nine have a key.
  const rowsOf = (split) => [...new Set(data.layers.filter((layer) => layer.split === split).map((layer) => layer.row))];

  const heading = (title, split) => {
    const key = rowsOf(split).indexOf(title) + 1;
    return element("h3", {}, key && key < 10 ? element("kbd", {}, String(key)) : null, title);
  };

  // The row of a heading: a cell for each recipe, or, where there is but one layer, that cell; null if there is none.
  function row(image, title, recipes) {
    const found = recipes.map((recipe) => layerOf(title, recipe, image.split));
    const different = [...new Set(found)].filter((layer) => layer >= 0);
    if (!different.length) return null;
    if (different.length === 1) {
      const users = recipes.filter((_, index) => found[index] >= 0);
      return { title, single: cell(image, different[0], users.length === data.recipes.length ? "" : users.join(", ")) };
    }
    const cells = found.map((layer, index) => (layer < 0 ? element("div", { className: "cell none" }, "–") : cell(image, layer, recipes[index])));
    return { title, made: element("section", { className: "row", "data-row": title }, heading(title, image.split), element("div", { className: "cells" }, ...cells)) };
  }

  // A cell in a line of others; two panels, such as maps of two classes, stand beside each other, many across the whole page.
  function alone(title, split, single) {
    const made = element("section", { "data-row": title }, heading(title, split), single);
    const count = single.querySelectorAll("figure").length;
    single.querySelector(".panels")?.style.setProperty("--across", count > 4 ? count : Math.min(count, 2));
    made.style.gridColumn = count > 4 ? "1 / -1" : `span ${Math.max(1, Math.min(count, 2))}`;
    return made;
  }

  // The board of an image, with the rows and recipes that are shown. Rows of one cell stand beside each other.
  function board(image, shown, recipes) {
    const open = () => enlarge({ row: "", layer: -1, suffix: "" });
    const itself = element("figure", {}, box(image, [picture(photograph(image), image.id, false)], `image ${image.id}`, open));
    const found = rowsOf(image.split).filter(shown).map((title) => row(image, title, recipes)).filter(Boolean);
    const made = [];
    let line = null;
    for (const { title, single, made: whole } of [{ title: "image", single: element("div", { className: "cell" }, itself) }, ...found]) {
      if (whole) line = null;
      else if (!line) made.push((line = element("div", { className: "row cells" })));
      if (whole) made.push(whole);
      else line.append(alone(title, image.split, single));
    }
    const all = element("div", { className: "board" }, ...made);
    all.style.setProperty("--recipes", recipes.length);
    return all;
  }

  // What the colours mean, and which images there are.
  function legend() {
    const colours = data.classes.map((_, index) => named(index + 1));
    const known = data.images.some((image) => image.panels.some(([, held]) => held.some((panel) => panel[3] !== undefined)));
    const told = known ? " The number beside the class of a map is the classifier's score: the probability that the image shows it." : "";
    const how = data.splits.map((one) => `${one.name}: ${one.how}`).join(". ");
    return element("footer", {},
      element("p", {}, ...colours, element("span", { className: "named" }, element("span", { className: "swatch hatched" }), "no label"),
        element("span", { className: "named" }, "maps 0 ", element("span", { className: "ramp heat" }), " 1"),
        element("span", { className: "named" }, "superpixels, first to last ", element("span", { className: "ramp order" }))),
      element("p", { className: "faint" }, `The gallery holds, of ${how}. IoU of an image: mean over the classes, background too, that it shows or is predicted to show.${told}`));
  }

  return { legend, rowsOf, board, stack, photograph, picture, panels, named, layerOf };
};
