// The tab of the trainings: what every network recorded in each epoch.
"use strict";

(() => {
  const { element, records } = report;
  const trained = report.numbers.histories;
  if (!trained.length) return;
  const NAMES = {
    classifier: "classifiers",
    segmenter: "segmenters",
    refiner: "networks that refine maps",
    detector: "saliency detectors",
    vit: "vision transformers",
  };
  const WORDS = {
    loss: "loss",
    learning_rate: "learning rate",
    share_seeded: "share of seeded pixels",
    share_labelled: "share of labelled pixels",
  };
  const kind = (one) => one.network.split("/").pop().replace(".safetensors", "");
  const folder = (one) => one.network.split("/").slice(0, -1).join("/");
  const seed = (one) => Number((one.network.match(/~seed=(\d+)/) || [])[1] ?? 0);
  const words = (column) => WORDS[column] || column.replaceAll("_", " ");
  const isShare = (column) => column.startsWith("share_");

  const unseeded = (one) => folder(one).replaceAll(/~seed=\d+/g, "");

  // One measure of the networks: they go by their recipes, and by their folder where a recipe has several of the kind.
  function plot(networks, column, title) {
    const mine = networks.filter((one) => one.columns.includes(column));
    const alike = (one, other) => String(one.recipes) === String(other.recipes) && unseeded(one) !== unseeded(other);
    const alone = (one) => !mine.some((other) => alike(one, other));
    const series = mine.map((one) => ({
      name: folder(one),
      group: alone(one) ? one.recipes.join(", ") : unseeded(one),
      colour: report.colour(one.recipes[0]),
      dash: Math.max(0, report.numbers.about.random_seeds.indexOf(seed(one))),
      points: records(one).filter((row) => row[column] !== "").map((row) => [Number(row.epoch), Number(row[column])]),
      details: () => [["used by", one.recipes.join(", ")]],
    }));
    const description =
      "One line for each network: recipes share what is the same, and random seeds differ in their dashes.";
    const y = { label: words(column), low: isShare(column) ? 0 : undefined };
    return report.plots.lines({ title, description, x: { label: "epoch", whole: true }, y, series });
  }

  function show(panel, state) {
    const kinds = [...new Set(trained.map(kind))];
    const place = element("div");
    const choices = element("div", { className: "choices" });
    const fill = (wanted, measure) => {
      const networks = trained.filter((one) => kind(one) === wanted);
      const columns = [...new Set(networks.flatMap((one) => one.columns))].filter((name) => name !== "epoch");
      const curves = columns.filter((name) => !isShare(name));
      const chosen = curves.includes(measure) ? measure : "loss";
      choices.replaceChildren(
        report.select("Network", kinds.map((one) => [one, NAMES[one] || one]), wanted, (one) => change(one, chosen)),
        report.select("Measure", curves.map((one) => [one, words(one)]), chosen, (one) => change(wanted, one)),
      );
      const shares = columns.filter(isShare);
      const text = `Training of the ${NAMES[wanted] || wanted}: ${words(chosen)}`;
      const upper = (one) => `${one[0].toUpperCase()}${one.slice(1)}`;
      const plots = shares.map((name) => plot(networks, name, upper(words(name))));
      place.replaceChildren(plot(networks, chosen, text), ...plots);
    };
    const change = (wanted, measure) => {
      report.keep({ network: wanted, measure });
      fill(wanted, measure);
    };
    panel.append(choices, place);
    const wanted = [state.get("network"), "segmenter", kinds[0]].find((one) => kinds.includes(one));
    fill(wanted, state.get("measure") || "loss");
  }

  report.tabs.push({ name: "training", title: "Training", show });
})();
