// Which images the gallery lists, and in which order. Its data are report.gallery, made by draw_pictures.
"use strict";

window.report = window.report || {};

// The measures that images can be sorted by, and the list of those that pass the filters.
report.galleryOrder = (data) => {
  const iou = data.layers.map((layer, index) => ({ layer, index })).filter(({ layer }) => layer.scored);
  const measures = [
    ...iou.map(({ layer, index }) => ({
      key: ["iou", layer.split, layer.row, layer.recipes.join("+")].join("/"),
      group: "IoU of the image, or of the class that is chosen",
      short: "IoU",
      title: `${layer.recipes.join(", ")}: ${layer.row}`,
      split: layer.split,
      ascending: true,
      of: (image, label) => iouOf(image, index, label),
    })),
    ...data.measures.map((measure, index) => ({
      key: [measure.kind, measure.split, measure.title].join("/"),
      group: measure.group,
      short: measure.kind,
      title: measure.title,
      split: measure.split,
      ascending: measure.kind === "labelled" || measure.kind === "objects",
      of: (image) => image.values[index],
    })),
  ];

  // The IoU of an image in a layer: of a class, or with `label` null their mean; null if there is none.
  function iouOf(image, layer, label) {
    const found = image.iou.find(([index]) => index === layer);
    if (!found) return null;
    if (label === null) return found[1];
    const own = found[2].find(([one]) => one === label);
    return own ? own[1] : null;
  }

  const shows = (image, label) => image.tags.includes(label) || (image.truth || []).includes(label);
  const words = new Map(data.images.map((image) => [image, [image.id, ...image.tags.map((tag) => data.classes[tag - 1])].join("\n").toLowerCase()]));

  // The images that pass, of the split of the measure if there is one, and the value of each by which they are sorted;
  // those without a value come last.
  function list({ label, split, text, measure, ascending }) {
    const wanted = text.trim().toLowerCase();
    const found = data.images
      .filter((image) => (!split || image.split === split) && (!measure || image.split === measure.split))
      .filter((image) => label === null || shows(image, label))
      .filter((image) => !wanted || words.get(image).includes(wanted))
      .map((image) => ({ image, value: measure ? measure.of(image, label) : null }));
    if (!measure) return found;
    const sign = ascending ? 1 : -1;
    const missing = ({ value }) => (value === null || value === undefined ? 1 : 0);
    return found.sort((a, b) => missing(a) - missing(b) || sign * ((a.value ?? 0) - (b.value ?? 0)));
  }

  return { measures, list, shows, iouOf };
};
