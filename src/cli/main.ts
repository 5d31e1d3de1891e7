import { join } from "node:path";
import { createProgram } from "./program";

void createProgram(join(__dirname, "..")).parseAsync();
