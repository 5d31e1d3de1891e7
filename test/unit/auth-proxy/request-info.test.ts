import { requestInfoOf } from "../../../src/auth-proxy/request-info";

const read = (line: string) => {
  const [method = "", target = ""] = line.split(" ");
  const info = requestInfoOf({ method, target });
  if (info.kind === "non-resource") return `${info.verb} ${info.path}`;
  const { verb, group, version, namespace, resource, subresource, name } = info;
  return [verb, group, version, namespace, resource, subresource, name].map((part) => part || "-").join(" ");
};

describe("a request in RBAC's terms", () => {
  // Verb, group, version, namespace, resource, subresource, name; or verb and path.
  it.each([
    ["GET /api/v1/namespaces", "list - v1 - namespaces - -"],
    ["GET /api/v1/namespaces/other", "get - v1 other namespaces - other"],
    ["PUT /api/v1/namespaces/other/finalize", "update - v1 other namespaces finalize other"],
    ["PATCH /api/v1/namespaces/other/status", "patch - v1 other namespaces status other"],
    ["GET /api/v1/namespaces/other/pods", "list - v1 other pods - -"],
    ["GET /api/v1/namespaces/other/pods/foo", "get - v1 other pods - foo"],
    ["HEAD /api/v1/namespaces/other/pods/foo", "get - v1 other pods - foo"],
    ["GET /api/v1/pods", "list - v1 - pods - -"],
    ["HEAD /api/v1/pods", "list - v1 - pods - -"],
    ["POST /api/v1/namespaces/other/pods", "create - v1 other pods - -"],
    ["GET /api/v1/namespaces/other/pods/foo/exec?command=sh", "get - v1 other pods exec foo"],
    ["POST /api/v1/namespaces/other/pods/foo/portforward", "create - v1 other pods portforward foo"],
    ["GET /api/v1/namespaces/other/services/web:80/proxy/a/b/c", "get - v1 other services proxy web:80"],
    ["DELETE /api/v1/namespaces/other/pods/foo", "delete - v1 other pods - foo"],
    ["DELETE /api/v1/namespaces/other/pods", "deletecollection - v1 other pods - -"],
    ["DELETE /api/v1/nodes?limit=1", "deletecollection - v1 - nodes - -"],
    ["OPTIONS /api/v1/pods", "- - v1 - pods - -"],
    ["get /api/v1/pods", "- - v1 - pods - -"],
    ["GET /apis/apps/v1/namespaces/other/deployments/web/scale", "get apps v1 other deployments scale web"],
    [
      "GET /apis/rbac.authorization.k8s.io/v1/clusterroles",
      "list rbac.authorization.k8s.io v1 - clusterroles - -",
    ],
    [
      "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      "create authorization.k8s.io v1 - selfsubjectaccessreviews - -",
    ],
    ["GET /api/v1/watch/pods", "watch - v1 - pods - -"],
    ["GET /api/v1/watch/namespaces/other/pods/foo", "watch - v1 other pods - foo"],
    ["GET /api/v1/proxy/namespaces/other/pods/foo/status", "proxy - v1 other pods - foo"],
    ["GET /api/v1/pods?watch=true", "watch - v1 - pods - -"],
    ["GET /api/v1/pods?watch", "watch - v1 - pods - -"],
    ["GET /api/v1/pods?watch=1&watch=0", "watch - v1 - pods - -"],
    ["GET /api/v1/pods?watch=0&watch=1", "list - v1 - pods - -"],
    ["GET /api/v1/pods?watch=FALSE", "list - v1 - pods - -"],
    ["GET /api/v1/pods?w%61tch=yes", "watch - v1 - pods - -"],
    ["GET /api/v1/pods/foo?watch=true", "get - v1 - pods - foo"],
    ["POST /api/v1/pods?watch=true", "create - v1 - pods - -"],
    ["GET /api", "get /api"],
    ["GET /api/v1", "get /api/v1"],
    ["GET /apis/apps/v1", "get /apis/apps/v1"],
    ["GET /apis/apps", "get /apis/apps"],
    ["POST /healthz?verbose", "post /healthz"],
    ["GET /", "get /"],
    ["GET /openapi/v3/apis/apps/v1?hash=1", "get /openapi/v3/apis/apps/v1"],
    ["GET /apisx/a/b/c/d", "get /apisx/a/b/c/d"],
  ])("reads %s as %s", (line, expected) => {
    expect(read(line)).toBe(expected);
  });

  it.each([
    // Slashes at either end do not count; one in between is a part that is empty.
    ["GET /api/v1/pods/", "list - v1 - pods - -"],
    ["GET //api/v1/pods", "list - v1 - pods - -"],
    ["GET /api//pods", "list - - - pods - -"],
    ["GET /api/v1//pods", "get - v1 - - - pods"],
    ["GET /api/v1/namespaces//pods", "list - v1 - pods - -"],
    ["GET /api/v1/namespaces/a/../b/pods", "get - v1 a .. pods b"],
    // An escape is the byte it stands for, a slash among them.
    ["GET /api/v1/namespaces/a%2Fsecrets", "list - v1 a secrets - -"],
    ["GET /%61pi/v1/secrets", "list - v1 - secrets - -"],
    ["GET /api/v1/secrets%3Fwatch=1", "list - v1 - secrets?watch=1 - -"],
    ["GET /api/v1/namespaces/a%252Fsecrets", "get - v1 a%2Fsecrets namespaces - a%2Fsecrets"],
    ["GET /api/v1/pods/a+b", "get - v1 - pods - a+b"],
  ])("reads the strange path of %s as %s", (line, expected) => {
    expect(read(line)).toBe(expected);
  });

  it.each([
    ["fieldSelector=metadata.name%3Dfoo", "foo"],
    ["fieldSelector=metadata.name==foo&watch=1&timeoutSeconds=9", "foo"],
    ["fieldSelector=metadata.name=foo&limit=500", "foo"],
    ["fieldSelector=metadata.name!=foo", "-"],
    ["fieldSelector=metadata.name=foo,spec.nodeName=a", "-"],
    ["fieldSelector=metadata.name=foo&limit=many", "-"],
    ["fieldSelector=metadata.name=foo&labelSelector=a", "-"],
    ["fieldSelector=metadata.name=foo%5C%2Cbar", "-"],
    ["fieldSelector=metadata.name=..", "-"],
    ["fieldSelector=metadata.name=a%252Fb", "-"],
    ["fieldSelector=spec.nodeName=foo&fieldSelector=metadata.name=foo", "-"],
  ])("finds the name of a list with ?%s: %s", (query, name) => {
    expect(read(`GET /api/v1/pods?${query}`).split(" ").at(-1)).toBe(name);
  });

  it("keeps selectors for the verbs that take them", () => {
    const selectors = (method: string, target: string) => {
      const info = requestInfoOf({ method, target: `${target}?fieldSelector=a%3Db&labelSelector=c` });
      return "fieldSelector" in info || "labelSelector" in info;
    };
    expect(
      requestInfoOf({ method: "GET", target: "/api/v1/pods?fieldSelector=a%3Db&labelSelector=c" }),
    ).toMatchObject({
      fieldSelector: "a=b",
      labelSelector: "c",
    });
    expect(selectors("DELETE", "/api/v1/pods")).toBe(true);
    expect(selectors("GET", "/api/v1/pods/foo")).toBe(false);
    expect(selectors("POST", "/api/v1/pods")).toBe(false);
    expect(selectors("GET", "/api/v1/watch/pods")).toBe(false);
    expect(selectors("GET", "/healthz")).toBe(false);
  });

  it.each([
    ["an escape that is none", "/api/v1/pods/%zz"],
    ["a cut escape", "/api/v1/pods/%4"],
    ["bytes that are no UTF-8", "/api/v1/pods/%ff"],
    ["a semicolon in the query, where Go drops the pair", "/api/v1/pods?watch=1;x"],
    ["an escape that is none in the query, where Go drops the pair", "/api/v1/pods?watch=%zz"],
    ["a verb in the path and nothing behind it", "/api/v1/watch"],
  ])("refuses %s", (_, target) => {
    expect(() => requestInfoOf({ method: "GET", target })).toThrow(
      expect.objectContaining({ code: "ERR_AUTH_PROXY_MALFORMED_REQUEST" }),
    );
  });
});
