/** The suites that need Node and nothing else; `test:cluster` has a configuration of its own. */
module.exports = {
  ...require("./jest.base.cjs"),
  roots: ["<rootDir>/test"],
  testPathIgnorePatterns: ["/node_modules/", "<rootDir>/test/cluster/"],
};
