/** Loaded before the program: gives it other texts for the files that the list in INSTEAD names. */
const { readFileSync } = require("node:fs");
const Module = require("node:module");

const instead = JSON.parse(readFileSync(process.env.INSTEAD, "utf8"));
const load = Module._extensions[".js"];

Module._extensions[".js"] = (module, filename) => {
  const other = instead[filename];
  if (other === undefined) return load(module, filename);
  module._compile(readFileSync(other, "utf8"), filename);
};
