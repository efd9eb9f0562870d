// The tab of times: seconds and memory of every job that left a benchmark.
"use strict";

(() => {
  const jobs = report.times || [];
  if (!jobs.length) return;

  const ABOUT = {
    seconds: "Sum over the jobs of a step; jobs may have run side by side.",
    memory_mb: "The most of any job of a step, as sampled: too low for jobs of a few seconds.",
  };

  const time = (seconds) => {
    if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
    const [large, small, names] = seconds < 3599.5 ? [60, 1, ["min", "s"]] : [3600, 60, ["h", "min"]];
    const rounded = Math.round(seconds / small) * small;
    const rest = String(Math.round((rounded % large) / small)).padStart(2, "0");
    return `${Math.floor(rounded / large)} ${names[0]} ${rest} ${names[1]}`;
  };

  function bySteps() {
    const steps = new Map();
    for (const job of jobs) {
      const one = steps.get(job.step) || { step: job.step, jobs: 0, seconds: 0, cpu_seconds: 0, memory_mb: null };
      one.jobs += 1;
      for (const name of ["seconds", "cpu_seconds"]) one[name] += job[name] ?? 0;
      if (job.memory_mb !== null) one.memory_mb = Math.max(one.memory_mb ?? 0, job.memory_mb);
      steps.set(job.step, one);
    }
    return [...steps.values()].sort((one, other) => other.seconds - one.seconds);
  }

  function plot(steps, name, title, unit, digits) {
    const values = steps.map((one) => one[name]);
    const details = steps.map((one) => [["jobs", String(one.jobs)]]);
    const description = ABOUT[name];
    const series = [{ name: unit, colour: report.colours[0], values, details }];
    return report.plots.bars({ title, description, groups: steps.map((one) => one.step), series, unit, digits });
  }

  function show(panel, state) {
    const steps = bySteps();
    const total = jobs.reduce((sum, job) => sum + (job.seconds ?? 0), 0);
    const columns = [
      { name: "step", title: "step" },
      { name: "of", title: "of", long: true, show: (text) => text || "–" },
      { name: "seconds", title: "time", show: (value) => (value === "" ? "–" : time(value)) },
      { name: "cpu_seconds", title: "CPU time", show: (value) => (value === "" ? "–" : time(value)) },
      { name: "memory_mb", title: "memory (MB)", show: (value) => (value === "" ? "–" : value.toFixed(0)) },
    ];
    const grid = report.element("div", { className: "grid" });
    const [unit, size] = steps[0].seconds > 36000 ? ["h", 3600] : steps[0].seconds > 600 ? ["min", 60] : ["s", 1];
    const scaled = steps.map((one) => ({ ...one, seconds: one.seconds / size }));
    grid.append(plot(scaled, "seconds", "Time", unit, 1), plot(steps, "memory_mb", "Memory", "MB", 0));
    const count = `${jobs.length} jobs, ${time(total)} together.`;
    const when = "The last run of each job that had ended when this page was written, as Snakemake measured it.";
    const sorted = (sort) => report.keep({ sort });
    const sort = state.get("sort") || "-seconds";
    const table = report.table({ label: "Jobs", columns, records: jobs, sort, sorted });
    panel.append(grid, report.section("Jobs", `${count} ${when}`, table));
  }

  report.tabs.push({ name: "times", title: "Times", show });
})();
