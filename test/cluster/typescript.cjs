/** Lets plain Node require this folder's TypeScript: the node is started by a script, before there is any jest. */
const { readFileSync } = require("node:fs");
const { transformSync } = require("@swc/core");

require.extensions[".ts"] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, "utf8"), {
    filename,
    swcrc: false,
    sourceMaps: "inline",
    jsc: { target: "es2022", parser: { syntax: "typescript", decorators: true } },
    module: { type: "commonjs" },
  });
  module._compile(code, filename);
};
