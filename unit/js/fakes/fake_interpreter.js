/** Pyodide without Python: `grace_runner` whose environment ends after three steps of a replay. */

export class FakeInterpreter {
  /** What runners were made of. @type {unknown[][]} */ made = [];
  destroyed = 0;
  restored = 0;
  /** @type {Error | null} what the next step raises */ stepFailure = null;
  /** @type {Error | null} what making a runner raises */ makeFailure = null;
  /** @type {Map<string, Uint8Array>} */ files = new Map();
  /** @type {string[]} */ packages = [];
  /** @type {Set<string>} packages that cannot be loaded */ missingPackages = new Set();

  runnerModule = {
    Runner: (/** @type {unknown[]} */ ...parts) => this.#makeRunner(parts),
    format_traceback: () => "Traceback ...\nValueError: no",
    after_restore: () => {
      this.restored += 1;
    },
  };

  FS = {
    mkdirTree: () => {},
    writeFile: (/** @type {string} */ path, /** @type {Uint8Array} */ bytes) =>
      void this.files.set(path, bytes),
    lookupPath: () => ({ node: {} }),
    ErrnoError: Error,
  };

  /** @param {string} name */
  pyimport(name) {
    const sys = {
      last_exc: { destroy: () => {} },
      version_info: { major: 3, minor: 14 },
      destroy: () => {},
    };
    return name === "sys" ? sys : this.runnerModule;
  }

  /** @param {string[]} names */
  async loadPackage(names) {
    const loaded = names.filter(
      (name) => !this.missingPackages.has(name) && !this.packages.includes(name),
    );
    this.packages.push(...loaded);
    return loaded.map((name) => ({ name }));
  }

  /** @param {unknown[]} parts */
  #makeRunner(parts) {
    this.made.push(parts);
    if (this.makeFailure) {
      throw this.makeFailure;
    }
    const runner = {
      frame: 0,
      reset: () => {
        runner.frame = 0;
      },
      step: () => {
        if (this.stepFailure) {
          throw this.stepFailure;
        }
        runner.frame += 1;
        return false;
      },
      replay: (/** @type {string} */ frames) => {
        runner.frame += Math.min(3, JSON.parse(frames).length);
        return true;
      },
      render_json: () => '[{"shape":"rect"}]',
      state_hash: () => "abc",
      result_json: () => '{"frames":3}',
      destroy: () => {
        this.destroyed += 1;
      },
    };
    return runner;
  }
}
