package org.vmxsim.lab.report;

import java.util.List;

/** {@code stats.json}: the whole report for programs. docs/reports.md documents the schema. */
final class StatsJson {
    private StatsJson() {}

    static String of(RunReport report) {
        JsonWriter json =
                new JsonWriter().object().put("schema", "vmxsim-stats-1").put("title", report.title());
        json.object("end")
                .put("how", report.end().how())
                .put("exitCode", report.end().exitCode());
        json.put("detail", report.end().detail()).endObject();
        RunReport.Totals totals = report.totals();
        json.object("totals").put("instructions", totals.instructions()).put("cycles", totals.cycles());
        json.put("modelledInstructions", totals.modelledInstructions());
        json.put("cyclesPerInstruction", totals.cyclesPerInstruction()).endObject();
        exits(json, report.exits());
        json.object("cyclesByCause");
        report.causes().forEach(cause -> json.put(cause.name(), cause.cycles()));
        json.endObject();
        walks(json, report.walks());
        json.array("structures");
        report.structures()
                .forEach(structure -> json.object()
                        .put("name", structure.name())
                        .put("hits", structure.hits())
                        .put("misses", structure.misses())
                        .put("hitRatio", structure.hitRatio())
                        .endObject());
        json.endArray();
        subPages(json, report);
        timeline(json, report);
        memory(json, report.memory());
        regions(json, report);
        return json.endObject().text();
    }

    private static void exits(JsonWriter json, List<RunReport.ExitCount> exits) {
        json.array("exits");
        exits.forEach(exit -> json.object()
                .put("reason", exit.reason())
                .put("number", exit.number())
                .put("count", exit.count())
                .put("cycles", exit.cycles())
                .endObject());
        json.endArray();
    }

    private static void memory(JsonWriter json, RunReport.Memory memory) {
        json.object("memory").put("mapped4k", memory.mapped4k()).put("mapped2m", memory.mapped2m());
        json.put("mapped1g", memory.mapped1g()).put("eptTableBytes", memory.eptTableBytes());
        json.put("spptTableBytes", memory.spptTableBytes())
                .put("bitmapBytes", memory.bitmapBytes())
                .endObject();
    }

    private static void regions(JsonWriter json, RunReport report) {
        json.array("regions");
        for (RunReport.Region region : report.regions()) {
            json.object().put("marker", region.marker()).put("instructions", region.instructions());
            json.put("cycles", region.cycles());
            exits(json, region.exits());
            json.endObject();
        }
        json.endArray();
    }

    private static void walks(JsonWriter json, RunReport.Walks walks) {
        json.object("walks").put("references", walks.references());
        numbers(json, "lengths", walks.lengths());
        table(json, "guestReferences", walks.guestReferences());
        table(json, "eptReferences", walks.eptReferences());
        numbers(json, "sppReferences", walks.sppReferences());
        json.endObject();
    }

    private static void subPages(JsonWriter json, RunReport report) {
        json.array("deniedWrites");
        for (RunReport.DeniedWrite write : report.denied()) {
            json.object().put("instruction", write.instruction()).put("rip", hex(write.rip()));
            json.put("code", write.code()).put("gla", hex(write.gla())).put("gpa", hex(write.gpa()));
            json.put("data", write.data()).put("action", write.action()).endObject();
        }
        json.endArray().array("protectedPages");
        for (RunReport.ProtectedPage page : report.protectedPages()) {
            json.object().put("gpa", hex(page.gpa())).put("writable", hex(page.writable() & 0xffff_ffffL));
            numbers(json, "allowed", page.allowed());
            numbers(json, "denied", page.denied());
            json.endObject();
        }
        json.endArray();
    }

    private static void timeline(JsonWriter json, RunReport report) {
        json.array("timeline");
        for (RunReport.Sample sample : report.timeline()) {
            json.object().put("instructions", sample.instructions()).put("cycles", sample.cycles());
            json.put("exits", sample.exits()).put("eptViolations", sample.eptViolations());
            json.put("sppEvents", sample.sppEvents())
                    .put("hypercalls", sample.hypercalls())
                    .endObject();
        }
        json.endArray();
    }

    private static void table(JsonWriter json, String key, long[][] rows) {
        json.array(key);
        for (long[] row : rows) {
            json.array();
            for (long number : row) {
                json.add(number);
            }
            json.endArray();
        }
        json.endArray();
    }

    private static void numbers(JsonWriter json, String key, long[] numbers) {
        json.array(key);
        for (long number : numbers) {
            json.add(number);
        }
        json.endArray();
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
