import { join } from "node:path";
import { connect } from "../connect";
import { createAzurePipelinesPlatform } from "./platform";

void connect(createAzurePipelinesPlatform(), join(__dirname, "../client-proxy/index.js"));
