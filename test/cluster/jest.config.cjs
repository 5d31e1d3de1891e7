/** Run by run.mjs, which starts the node and names its state file in CLUSTER_CONNECT_NODE_STATE. */
module.exports = {
  ...require("../../jest.base.cjs"),
  roots: ["<rootDir>/test/cluster"],
  testTimeout: 60_000,
};
