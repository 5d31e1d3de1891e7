/**
 * What the attacks are run against: the sources as plain CommonJS files, in which one can be exchanged in a moment. A
 * program stands in a Node's place: it leaves the bundle that it is given, and runs the sources instead.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "@swc/core";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");

/** One TypeScript source as Node takes it. */
function compile(file, text) {
  const { code } = transformSync(text, {
    filename: file,
    swcrc: false,
    jsc: { target: "es2022", parser: { syntax: "typescript", decorators: true } },
    module: { type: "commonjs" },
  });
  return code;
}

export class Programs {
  /** `folder` lies inside the project, so that packages are found from it. */
  constructor(folder) {
    this.folder = folder;
    for (const file of readdirSync(join(root, "src"), { recursive: true })) {
      if (!file.endsWith(".ts")) continue;
      const path = join("src", file);
      this.#write(`tree/${path.replace(/ts$/, "js")}`, compile(path, readFileSync(join(root, path), "utf8")));
    }
    copyFileSync(join(root, "package.json"), join(folder, "tree/package.json"));
  }

  /** A program that runs the sources, with `texts` (by their names) instead of some; `env` goes along. */
  create(name, texts, { env = {}, preload } = {}) {
    const instead = Object.entries(texts).map(([file, text]) => [
      join(this.folder, "tree", file.replace(/ts$/, "js")),
      this.#write(`instead/${name}/${file.replace(/ts$/, "js")}`, compile(file, text)),
    ]);
    const list = this.#write(`instead/${name}/list.json`, JSON.stringify(Object.fromEntries(instead)));
    const loaded = [...(preload === undefined ? [] : [preload]), join(here, "exchange-modules.cjs")];
    const variables = Object.entries({ ...env, INSTEAD: list }).map(([key, value]) => `${key}='${value}'`);
    const flags = loaded.map((file) => `-r '${file}'`).join(" ");
    const cli = join(this.folder, "tree/src/cli/main.js");
    const script = `#!/bin/sh\nshift\n${variables.join(" ")} exec '${process.execPath}' ${flags} '${cli}' "$@"\n`;
    const path = this.#write(`programs/${name}`, script);
    chmodSync(path, 0o755);
    return path;
  }

  #write(name, text) {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }
}
