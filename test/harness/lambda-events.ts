/** Events as AWS sends them. https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html and those beside it. */

export interface LambdaAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

interface Parts {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export type EventShape = "url" | "api-v1" | "alb" | "alb-multi-value";

export function eventOf(shape: EventShape, path: string, init: RequestInit = {}): unknown {
  const url = new URL(path, "https://abcdefghij.lambda-url.eu-central-1.on.aws");
  const headers = Object.fromEntries(new Headers(init.headers));
  const body = init.body == null ? undefined : String(init.body);
  const parts: Parts = {
    method: init.method ?? "GET",
    path: url.pathname,
    query: url.search.slice(1),
    headers: {
      ...headers,
      host: url.host,
      "x-forwarded-for": "203.0.113.7",
      "x-forwarded-port": "443",
      "x-forwarded-proto": "https",
      ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    },
    body,
  };
  return shapes[shape](parts);
}

const shapes: Readonly<Record<EventShape, (parts: Parts) => unknown>> = {
  url: ({ method, path, query, headers, body }) => ({
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: query,
    headers,
    ...(query === "" ? {} : { queryStringParameters: Object.fromEntries(new URLSearchParams(query)) }),
    requestContext: {
      accountId: "anonymous",
      apiId: "abcdefghij",
      domainName: headers["host"],
      domainPrefix: "abcdefghij",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "203.0.113.7", userAgent: headers["user-agent"] ?? "" },
      requestId: "b6b1ed4a-4e75-4a1e-9f0d-2f8a3a3c1f00",
      routeKey: "$default",
      stage: "$default",
      time: "22/Nov/2026:10:21:37 +0000",
      timeEpoch: 1795342897000,
    },
    ...(body === undefined ? {} : { body: Buffer.from(body).toString("base64") }),
    isBase64Encoded: body !== undefined,
  }),
  "api-v1": ({ method, path, query, headers, body }) => ({
    version: "1.0",
    resource: "/{proxy+}",
    path,
    httpMethod: method,
    headers,
    multiValueHeaders: multi(headers),
    queryStringParameters: query === "" ? null : Object.fromEntries(new URLSearchParams(query)),
    multiValueQueryStringParameters: query === "" ? null : multi(Object.fromEntries(new URLSearchParams(query))),
    pathParameters: { proxy: path.slice(1) },
    stageVariables: null,
    requestContext: {
      accountId: "123456789012",
      apiId: "id",
      authorizer: null,
      domainName: headers["host"],
      domainPrefix: "id",
      extendedRequestId: "request-id",
      httpMethod: method,
      identity: { sourceIp: "203.0.113.7", userAgent: "kube-apiserver-admission" },
      path,
      protocol: "HTTP/1.1",
      requestId: "id=",
      requestTime: "22/Nov/2026:10:21:37 +0000",
      requestTimeEpoch: 1795342897000,
      resourceId: null,
      resourcePath: "/{proxy+}",
      stage: "$default",
    },
    body: body ?? null,
    isBase64Encoded: false,
  }),
  alb: ({ method, path, query, headers, body }) => ({
    requestContext: {
      elb: { targetGroupArn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/e/1" },
    },
    httpMethod: method,
    path,
    queryStringParameters: Object.fromEntries(new URLSearchParams(query)),
    headers,
    body: body ?? "",
    isBase64Encoded: false,
  }),
  "alb-multi-value": ({ method, path, query, headers, body }) => ({
    requestContext: {
      elb: { targetGroupArn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/e/1" },
    },
    httpMethod: method,
    path,
    multiValueQueryStringParameters: multi(Object.fromEntries(new URLSearchParams(query))),
    multiValueHeaders: multi(headers),
    body: body ?? "",
    isBase64Encoded: false,
  }),
};

/** What a rule of EventBridge sends at its time. */
export const scheduleEvent = {
  version: "0",
  id: "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
  "detail-type": "Scheduled Event",
  source: "aws.events",
  account: "123456789012",
  time: "2026-11-22T10:21:00Z",
  region: "eu-central-1",
  resources: ["arn:aws:events:eu-central-1:123456789012:rule/entrance-schedule"],
  detail: {},
};

export function responseOf(answer: LambdaAnswer): Response {
  const headers = new Headers(answer.headers);
  for (const [name, values] of Object.entries(answer.multiValueHeaders ?? {})) headers.set(name, values.join(", "));
  const body = answer.isBase64Encoded ? Buffer.from(answer.body, "base64") : answer.body;
  return new Response(body, { status: answer.statusCode, headers });
}

function multi(values: Readonly<Record<string, string>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value]]));
}
