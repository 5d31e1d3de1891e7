/** The embedded API, visited by a client built in, for machines without kubectl. */
import { KubernetesClient, type Answer } from "../kubernetes-client";
import { configMap, expect, visitor, type Place, type Visit } from "./visit";

const pods = "/api/v1/namespaces/default/pods";
const configMaps = "/api/v1/namespaces/default/configmaps";

const clientOf = ({ kubeconfig, signal }: Place) => new KubernetesClient(kubeconfig, signal);

const check = ({ status, body }: Answer, wantedStatus: number, wanted = "") =>
  expect(status === wantedStatus && body.includes(wanted), `${String(status)} ${body}`);

export const whoAmI: Visit = {
  title: "POST …/selfsubjectreviews",
  run: async (place) => {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const review = await clientOf(place).send("POST", path, { body });
    check(review, 201, visitor);
    return `the cluster takes us for ${visitor}`;
  },
};

export const visitsByClient: readonly Visit[] = [
  whoAmI,
  {
    title: `GET ${pods}`,
    run: async (place) => {
      check(await clientOf(place).send("GET", pods), 200, '"hello"');
      return "pod hello is Running";
    },
  },
  {
    title: `apply a config map twice and delete it, seen by a watch`,
    run: watchChanges,
  },
  {
    title: `GET ${pods}/hello/log?follow=true`,
    run: async (place) => {
      const until = (soFar: string) => soFar.includes("still here (3)");
      const { body } = await clientOf(place).send("GET", `${pods}/hello/log?follow=true`, { until });
      return body.trim();
    },
  },
  {
    title: "exec hello: echo; exit 3; cat",
    run: async (place) => {
      const client = clientOf(place);
      const echo = await client.exec("hello", ["echo", "from", "inside"]);
      expect(echo.stdout === "from inside\n" && echo.exitCode === 0, JSON.stringify(echo));
      const exit = await client.exec("hello", ["sh", "-c", "exit 3"]);
      expect(exit.exitCode === 3, JSON.stringify(exit));
      const cat = await client.exec("hello", ["cat"], { stdin: "there and back" });
      expect(cat.stdout === "there and back" && cat.exitCode === 0, JSON.stringify(cat));
      return `${echo.stdout.trim()}; ${cat.stdout}; exit codes 0 and 3 came through`;
    },
  },
];

async function watchChanges(place: Place): Promise<string> {
  const client = clientOf(place);
  const { body: list } = await client.send("GET", configMaps);
  const { resourceVersion } = (JSON.parse(list) as { metadata: { resourceVersion: string } }).metadata;
  const watch = `${configMaps}?watch=true&resourceVersion=${resourceVersion}`;
  const events = client.send("GET", watch, { until: (text) => text.includes('"DELETED"') });
  events.catch(() => undefined);
  const apply = (by: string) =>
    client.send("PATCH", `${configMaps}/visit?fieldManager=demo`, {
      body: { ...configMap, data: { by } },
      contentType: "application/apply-patch+yaml",
    });
  check(await apply("the demo"), 201);
  check(await apply("the demo, again"), 200);
  check(await client.send("DELETE", `${configMaps}/visit`), 200);
  const seen = (await events).body.match(/ADDED|MODIFIED|DELETED/g) ?? [];
  expect(seen.join() === "ADDED,MODIFIED,DELETED", seen.join());
  return `the watch saw ${seen.join(", ")}`;
}
