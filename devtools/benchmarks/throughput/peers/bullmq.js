// BullMQ and SendGrid's client: `bullmq.js worker CONCURRENCY` or `bullmq.js enqueue FIRST COUNT RATE FILE`.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue, Worker } from "bullmq";
import sendgrid from "@sendgrid/client";

const redis = new URL(process.env.REDIS_URL);
const connection = {
  host: redis.hostname,
  port: Number(redis.port),
  password: redis.password,
  db: Number(redis.pathname.slice(1)),
};
const content = JSON.parse(readFileSync(process.env.BENCH_CONTENT, "utf8"));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

sendgrid.setApiKey(process.env.BENCH_API_KEY);
sendgrid.setDefaultRequest("baseUrl", new URL(process.env.BENCH_API_URL).origin);

function send(job) {
  const body = {
    from: { email: "site@example.com", name: "Mailroom" },
    subject: content.subject,
    personalizations: [{ to: [{ email: job.data.to }] }],
    content: [
      { type: "text/plain", value: content.text },
      { type: "text/html", value: content.html },
    ],
  };
  return sendgrid.request({ url: "/v3/mail/send", method: "POST", body }).then(() => null);
}

async function work(concurrency) {
  // Without the option BullMQ keeps every job in Redis for ever.
  const worker = new Worker("email", send, { connection, concurrency: Number(concurrency), autorun: false, removeOnComplete: { count: 1000 } });
  worker.on("error", (error) => console.error(error));
  worker.on("failed", (job, error) => console.error(job?.data, error));
  await worker.waitUntilReady();
  console.log("ready");
  await lines.next();
  worker.run();
  for (let paused = false; !(await lines.next()).done; paused = !paused) {
    if (paused) worker.resume();
    else await worker.pause();
    console.log("done");
  }
}

async function enqueue(first, count, rate, file) {
  const queue = new Queue("email", { connection });
  await queue.waitUntilReady();
  console.log("ready");
  await lines.next();
  const times = {};
  const began = Date.now();
  const cpu = process.cpuUsage();
  for (let done = 0; done < Number(count); done += 1) {
    if (Number(rate)) await sleep(Math.max(0, began + (done * 1000) / Number(rate) - Date.now()));
    const to = `reader${Number(first) + done}@example.com`;
    times[to] = (performance.timeOrigin + performance.now()) / 1000;
    await queue.add("send", { to });
  }
  const used = process.cpuUsage(cpu);
  writeFileSync(file, JSON.stringify({ times, ended_at: Date.now() / 1000, cpu_s: (used.user + used.system) / 1e6 }));
  console.log("done");
  await queue.close();
}

const [command, ...rest] = process.argv.slice(2);
await (command === "worker" ? work(...rest) : enqueue(...rest));
process.exit(0);
