/** What everybody does: `loadPyodide()` on the main thread, then the study's own files. */

const config = JSON.parse(document.getElementById("grace-config").textContent);
const { pyodide_url, runner_url } = config.python;

const { loadPyodide } = await import(`${pyodide_url}pyodide.mjs`);
const pyodide = await loadPyodide({ indexURL: pyodide_url });
const [runnerSource, source] = await Promise.all(
  [runner_url, config.first_environment.url].map(async (url) => (await fetch(url)).text()),
);
pyodide.FS.writeFile("grace_runner.py", runnerSource);
const { Runner } = pyodide.pyimport("grace_runner");
const runner = Runner(source, "environment.py", JSON.stringify(config.first_environment.config));
runner.reset(1);
performance.mark("ready");

const python = {
  step: async (actions) => runner.step(JSON.stringify(actions)),
  render: async () => JSON.parse(runner.render_json()),
  reset: async (seed) => runner.reset(seed),
};
const { goOn } = await import("./play.js");
await goOn(python, { config, facts: { runtime: "main", snapshot: "none" } });
