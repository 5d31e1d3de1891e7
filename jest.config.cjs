/** The suites that need Node and nothing else; `test:cluster` has a configuration of its own. */
module.exports = {
  ...require("./jest.base.cjs"),
  // They wait for processes and sockets more than they compute: one worker fewer than cores, jest's own, leaves half idle.
  maxWorkers: "100%",
  roots: ["<rootDir>/test"],
  testPathIgnorePatterns: ["/node_modules/", "<rootDir>/test/cluster/"],
};
