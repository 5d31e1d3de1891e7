/**
 * The parts of action.yml and task.json that repeat src/ci/inputs.ts and package.json's version. Each function takes
 * a manifest's text and gives it back with those parts as they have to be; all else stays as somebody wrote it.
 */
import { parseDocument } from "yaml";

/** Lengths up to which YAML keeps a description on its key's line. */
const lineWidth = 120;

export function actionManifest(text, { inputsOf, outputs }) {
  const document = parseDocument(text);
  const fields = inputsOf("github").map(([name, input]) => [
    name,
    {
      description: input.description,
      ...(input.required ? { required: true } : {}),
      ...(input.default === undefined ? {} : { default: input.default }),
    },
  ]);
  document.set("inputs", document.createNode(Object.fromEntries(fields)));
  const results = Object.entries(outputs).map(([name, description]) => [name, { description }]);
  document.set("outputs", document.createNode(Object.fromEntries(results)));
  return document.toString({ lineWidth });
}

/** What the task may set for later tasks, beside its outputs. */
const exportedVariables = ["KUBECONFIG", "KUBE_CONFIG_PATH"];

export function taskManifest(text, { inputsOf, outputs, groups, nameOn, textOn }, version) {
  const system = "azure-pipelines";
  const [major, minor, patch] = version.split(/[.-]/).map(Number);
  const names = Object.keys(outputs).map((name) => nameOn(system, name));
  const manifest = {
    ...JSON.parse(text),
    version: { Major: major, Minor: minor, Patch: patch },
    groups: Object.entries(groups).map(([name, { title, visibleWhen }]) => ({
      name,
      displayName: title,
      isExpanded: false,
      ...(visibleWhen === undefined ? {} : { visibleRule: visibleWhen }),
    })),
    inputs: inputsOf(system).map(([name, input]) => taskInput(nameOn(system, name), input, textOn)),
    outputVariables: Object.values(outputs).map((description, index) => ({
      name: names[index],
      description: textOn(system, description),
    })),
    // By injection too, no other variable could be set.
    restrictions: {
      commands: { mode: "any" },
      settableVariables: { allowed: [...exportedVariables, ...names] },
    },
  };
  return JSON.stringify(manifest);
}

function taskInput(name, { required = false, default: value = "", description, field }, textOn) {
  const { label, type = "string", options, group } = field;
  return {
    name,
    label,
    type,
    defaultValue: value,
    required,
    helpMarkDown: textOn("azure-pipelines", description),
    ...(group === undefined ? {} : { groupName: group }),
    ...(options === undefined
      ? {}
      : { options: Object.fromEntries(options.map((option) => [option, option])) }),
  };
}
