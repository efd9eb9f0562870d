// What one looks at in the gallery, as the location keeps it: image, order, filters, layers.
"use strict";

window.report = window.report || {};

report.galleryStates = (data, measures) => {
  const MOST = 6; // recipes that are shown unless one asks for more
  const OPACITY = 50;
  const others = () => new Set(data.recipes.slice(MOST));
  const joined = (names) => [...names].sort().join("|");

  // The state that a location gives; what it does not say, or says wrongly, is as at first.
  function read(given) {
    const measure = measures.find((one) => one.key === given.get("sort")) || null;
    const label = data.classes.indexOf(given.get("class"));
    const opacity = Number(given.get("opacity") ?? OPACITY);
    const named = (key) => new Set((given.get(key) || "").split("|").filter(Boolean));
    return {
      image: given.get("image"),
      measure,
      ascending: given.has("up") ? given.get("up") === "1" : measure?.ascending ?? true,
      label: label < 0 ? null : label + 1,
      split: data.splits.some((one) => one.name === given.get("split")) ? given.get("split") : "",
      text: given.get("text") || "",
      opacity: opacity >= 0 && opacity <= 100 ? opacity : OPACITY,
      outlines: given.get("outlines") !== "0",
      hidden: named("hide"),
      without: given.has("without") ? named("without") : others(),
    };
  }

  // The location of a state: only what is not as at first.
  function params(state) {
    const found = {};
    if (state.image !== null) found.image = state.image;
    if (state.measure) Object.assign(found, { sort: state.measure.key, up: state.ascending ? "1" : "0" });
    if (state.label !== null) found.class = data.classes[state.label - 1];
    for (const key of ["split", "text"]) if (state[key]) found[key] = state[key];
    if (state.opacity !== OPACITY) found.opacity = state.opacity;
    if (!state.outlines) found.outlines = "0";
    if (state.hidden.size) found.hide = joined(state.hidden);
    if (joined(state.without) !== joined(others())) found.without = joined(state.without);
    return found;
  }

  return { read, params };
};
