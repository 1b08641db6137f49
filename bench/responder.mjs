// The other end of a work, in a process of its own. Its parent's death is its own.
process.on("disconnect", () => process.exit(0));
const { work, subject, settings } = JSON.parse(process.argv[2]);
const { serve } = await import(`./subjects/${work}-${subject}.mjs`);
const ready = (await serve(settings)) ?? {};
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send({ rss: process.memoryUsage().rss, cpuMicros: user + system });
});
process.send({ ready });
