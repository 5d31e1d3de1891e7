import { disconnect } from "../disconnect";
import { createAzurePipelinesPlatform } from "./platform";

void disconnect(createAzurePipelinesPlatform());
