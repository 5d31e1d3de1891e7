/**
 * What every jest run of this project shares. Several dependencies are ES modules only: the resolver adds the
 * `import` condition for those that export nothing else, and swc turns them into CommonJS beside our own source.
 */
const esModulesOnly = [
  "@actions/",
  "jose/",
  "[a-z-]*proxy-agent[a-z-]*/",
  "agent-base/",
  "proxy-from-env/",
  "@marcbachmann/",
];

module.exports = {
  rootDir: __dirname,
  testEnvironment: "node",
  testMatch: ["**/*.test.ts"],
  testTimeout: 20_000,
  // Forcing the exit would hide a leaked socket or timer, which is a defect here.
  forceExit: false,
  resolver: "<rootDir>/scripts/jest-resolver.cjs",
  transform: {
    "\\.(ts|js|mjs)$": [
      "@swc/jest",
      {
        jsc: { target: "es2022", parser: { syntax: "typescript", decorators: true } },
        module: { type: "commonjs" },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esModulesOnly.join("|")}))`],
};
