import { serve } from "./serve";

void serve().then((code) => (process.exitCode = code));
