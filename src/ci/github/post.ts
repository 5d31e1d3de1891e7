import { disconnect } from "../disconnect";
import { createGitHubPlatform } from "./platform";

void disconnect(createGitHubPlatform());
