// What opens over the gallery: one picture as large as the window allows, and the keys.
"use strict";

window.report = window.report || {};

// The dialog of one picture: `open` shows a layer of an image, `follow` that of another image while it is open.
report.galleryLarge = (data, pictures) => {
  const { element } = report;
  const dialog = element("dialog", { className: "large" });
  let what = null;

  function fill(image) {
    const held = what.layer < 0 ? [] : pictures.panels(image, what.layer) || [];
    const panel = held.find(([suffix = ""]) => suffix === what.suffix) || held[0];
    const alone = () => [pictures.picture(pictures.photograph(image), image.id, false)];
    const box = element("div", { className: "box" }, ...(panel ? pictures.stack(image, what.layer, panel[0] || "", image.id) : alone()));
    box.style.aspectRatio = `${image.size[1]} / ${image.size[0]}`;
    box.style.maxWidth = `calc(80vh * ${image.size[1] / image.size[0]})`;
    const recipes = panel ? data.layers[what.layer].recipes : [];
    const names = [image.id, recipes.length < data.recipes.length ? recipes.join(", ") : "", what.row, panel?.[1]];
    const close = element("button", { type: "button" }, "Close");
    close.addEventListener("click", () => dialog.close());
    dialog.replaceChildren(element("p", {}, names.filter(Boolean).join(" · "), " ", close), box);
  }

  return {
    dialog,
    open(layer, image) {
      what = layer;
      fill(image);
      if (!dialog.open) dialog.showModal();
    },
    follow(image) {
      if (dialog.open) fill(image);
    },
  };
};

report.galleryHelp = () => {
  const { element } = report;
  const keys = [
    ["→ or j, ← or k", "next image, image before"],
    ["Home, End", "the first image, the last"],
    ["] and [", "next thumbnails, thumbnails before"],
    ["1 to 9", "show or hide a row of layers"],
    ["o", "outlines on or off"],
    ["+ and −", "layers more or less opaque"],
    ["/", "search"],
    ["Esc", "leave the search, close what is open"],
    ["?", "this help"],
  ];
  const rows = keys.map(([key, text]) => element("tr", {}, element("th", { scope: "row" }, key), element("td", {}, text)));
  const close = element("button", { type: "button" }, "Close");
  const dialog = element("dialog", { className: "help" }, element("h2", {}, "Keys of the gallery"), element("table", {}, ...rows), close);
  close.addEventListener("click", () => dialog.close());
  return dialog;
};
