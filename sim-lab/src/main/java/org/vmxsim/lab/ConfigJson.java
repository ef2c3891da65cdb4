package org.vmxsim.lab;

import org.vmxsim.core.time.Parameter;
import org.vmxsim.lab.report.JsonWriter;
import org.vmxsim.lab.scenario.ProtectedRange;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.scenario.SppPlan;
import org.vmxsim.vmx.MachineConfig;

/** {@code config.json}: the effective configuration of a run, every number of the timing preset with its source. */
final class ConfigJson {
    private ConfigJson() {}

    static String of(Scenario scenario, MachineConfig machine) {
        JsonWriter json = new JsonWriter().object().put("schema", "vmxsim-config-1");
        json.object("scenario")
                .put("name", scenario.name())
                .put("fidelity", scenario.fidelity().name());
        json.put("memoryBytes", scenario.memoryBytes()).put("maxInstructions", scenario.maxInstructions());
        json.object("guest").put("image", scenario.guest().image());
        json.put("arguments", scenario.guest().arguments()).endObject();
        json.object("ept")
                .put("pageSizeBytes", scenario.eptPageSize().sizeBytes())
                .endObject();
        subPages(json, scenario.spp());
        json.endObject();
        return finish(json, machine);
    }

    static String of(BootRequest request) {
        JsonWriter json = new JsonWriter().object().put("schema", "vmxsim-config-1");
        json.object("boot").put("image", request.image().toString()).put("commandLine", request.commandLine());
        json.endObject();
        return finish(json, request.machine());
    }

    static String of(ReplayRequest request, MachineConfig machine) {
        JsonWriter json = new JsonWriter().object().put("schema", "vmxsim-config-1");
        json.object("replay").put("trace", request.trace());
        json.put("eptPageSizeBytes", request.eptPageSize().sizeBytes());
        json.put("guestPageSizeBytes", request.guestPageSize().sizeBytes()).endObject();
        return finish(json, machine);
    }

    private static void subPages(JsonWriter json, SppPlan spp) {
        json.object("spp").put("enabled", spp.enabled()).put("hypercalls", spp.hypercalls());
        json.put("profile", spp.profile().name())
                .put("enforcedBy", spp.enforcedBy().name());
        json.put("cacheVectors", spp.cacheVectors());
        json.put("onDenied", spp.onDenied().name()).array("protect");
        for (ProtectedRange range : spp.ranges()) {
            json.object().put("symbol", range.symbol()).put("offset", range.offset());
            json.put("sizeBytes", range.sizeBytes()).endObject();
        }
        json.endArray().endObject();
    }

    private static String finish(JsonWriter json, MachineConfig machine) {
        json.object("machine")
                .put("cpu", machine.cpu().name())
                .put("engine", machine.engine().name());
        json.put("memoryBytes", machine.memoryBytes()).put("processors", machine.processors());
        json.put("platform", machine.platform().name()).put("testDevice", machine.testDevice());
        json.put("quantum", machine.turns().quantum());
        machine.turns().seed().ifPresent(seed -> json.put("turnSeed", seed));
        json.put("sppOptions", machine.sppOptions().toString()).endObject();
        json.object("timing").put("preset", machine.timing().name()).array("parameters");
        for (Parameter parameter : machine.timing().parameters()) {
            json.object().put("name", parameter.name()).put("value", parameter.value());
            json.put("source", parameter.source()).endObject();
        }
        return json.endArray().endObject().endObject().text();
    }
}
