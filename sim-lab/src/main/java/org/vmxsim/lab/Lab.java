package org.vmxsim.lab;

import org.vmxsim.lab.explain.Explanation;
import org.vmxsim.lab.explain.Question;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.scenario.Scenario;

/**
 * The front door: everything that the command line does, as methods.
 *
 * <pre>{@code
 * RunReport report = Lab.run(Scenario.defaults().withArguments("requests=1000 bug=config_blob:3"));
 * System.out.print(TextReport.table(report));
 * ReportFolder.write(report, Path.of("out"));
 * }</pre>
 */
public final class Lab {
    private Lab() {}

    /**
     * Runs a scenario in a virtual machine.
     *
     * @param scenario what to run
     * @return what happened
     * @throws IllegalArgumentException if the scenario asks for what does not exist: CPU model, preset, image, symbol
     */
    public static RunReport run(Scenario scenario) {
        return run(scenario, RunListener.NONE);
    }

    /**
     * Runs a scenario in a virtual machine, watched.
     *
     * @param scenario what to run
     * @param listener who watches
     * @return what happened
     * @throws IllegalArgumentException if the scenario asks for what does not exist: CPU model, preset, image, symbol
     */
    public static RunReport run(Scenario scenario, RunListener listener) {
        return new VirtualRun(scenario, listener).run();
    }

    /**
     * Runs a scenario that a tool outside introspects.
     *
     * @param request the scenario, and where the tool is
     * @param listener who watches
     * @return what happened
     * @throws IllegalArgumentException as {@link #run}, and if the socket's path is too long or the log cannot be
     *     written
     */
    public static RunReport introspect(IntrospectRequest request, RunListener listener) {
        return new IntrospectedRun(request, listener).run();
    }

    /**
     * Replays a memory trace in a guest with page tables of its own, in the cycle engine.
     *
     * @param request what to replay
     * @param listener who watches
     * @return what happened
     * @throws IllegalArgumentException if the trace cannot be read or breaks its format, or there is no such CPU model
     *     or preset
     */
    public static RunReport replay(ReplayRequest request, RunListener listener) {
        return new Replay(request, listener).run();
    }

    /**
     * Boots an image on the bare machine.
     *
     * @param request what to boot
     * @param listener who watches
     * @return what happened
     * @throws IllegalArgumentException if a file cannot be read or is no image, or there is no such CPU model or preset
     */
    public static RunReport boot(BootRequest request, RunListener listener) {
        return new BareRun(request, listener).run();
    }

    /**
     * Runs a scenario to a point and explains one translation there.
     *
     * @param scenario what to run
     * @param question which translation, and when
     * @return every reference on the way, and the verdict
     * @throws IllegalArgumentException if the scenario asks for what does not exist, or the guest ends before the point
     */
    public static Explanation explain(Scenario scenario, Question question) {
        return new Explain(scenario, question).explain();
    }
}
