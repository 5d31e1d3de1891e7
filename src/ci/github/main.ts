import { join } from "node:path";
import { connect } from "../connect";
import { createGitHubPlatform } from "./platform";

void connect(createGitHubPlatform(), join(__dirname, "../client-proxy/index.js"));
