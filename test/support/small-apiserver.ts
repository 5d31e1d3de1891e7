import type { IncomingMessage, ServerResponse } from "node:http";
import { startRecordingApiserver, type RecordingApiserver } from "./recording-apiserver";

/** The recording apiserver with as much of Kubernetes as a proof of readiness asks for. */
export async function startSmallApiserver({ hasRights = true } = {}): Promise<RecordingApiserver> {
  const apiserver = await startRecordingApiserver();
  apiserver.handle = (request, response) => answer(request, response, hasRights);
  return apiserver;
}

function answer(request: IncomingMessage, response: ServerResponse, hasRights: boolean): void {
  const send = (status: number, body: unknown) => {
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  };
  request.resume();
  const user = request.headers["impersonate-user"];
  const group = request.headers["impersonate-group"];
  if (request.url === "/version") return send(200, { major: "1", minor: "36", gitVersion: "v1.36.3" });
  if (request.url?.endsWith("/selfsubjectreviews")) {
    const groups = [group ?? [], "system:authenticated"].flat();
    return send(201, { kind: "SelfSubjectReview", status: { userInfo: { username: user, groups } } });
  }
  if (request.url?.endsWith("/selfsubjectrulesreviews")) {
    const own = {
      verbs: ["create"],
      apiGroups: ["authorization.k8s.io"],
      resources: ["selfsubjectaccessreviews"],
    };
    const more = hasRights ? [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }] : [];
    return send(201, { status: { incomplete: false, resourceRules: [own, ...more] } });
  }
  if (request.url?.includes("watch=true")) {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write('{"type":"ADDED"}\n');
    return;
  }
  send(200, { kind: "PodList", apiVersion: "v1", items: [], seen: user });
}
