package org.vmxsim.lab.scenario;

/**
 * Everything that decides a run: the same scenario gives the same run, bit for bit. Make one from {@link #defaults()}
 * and the {@code with...} methods, or read one with {@link ScenarioFile}.
 *
 * @param name a short name for reports and folders
 * @param cpu CPU model, for example {@code icelake-sp}
 * @param timing timing preset, or empty for the CPU model's own
 * @param fidelity how much time is modelled
 * @param memoryBytes guest RAM, a multiple of 2 MiB
 * @param guest the image and its command line
 * @param eptPageSize largest page with which guest memory is mapped
 * @param spp sub-page protection
 * @param maxInstructions the run ends after this many retired instructions, or as many VM exits
 */
public record Scenario(
        String name,
        String cpu,
        String timing,
        Fidelity fidelity,
        long memoryBytes,
        GuestImage guest,
        EptPageSize eptPageSize,
        SppPlan spp,
        long maxInstructions) {
    private static final long LARGE_PAGE = 1L << 21;
    private static final long MOST_MEMORY = 1L << 52;

    /**
     * Checks the sizes.
     *
     * @throws IllegalArgumentException if memory is not a positive multiple of 2 MiB or no instruction may run
     */
    public Scenario {
        if (memoryBytes <= 0 || memoryBytes % LARGE_PAGE != 0 || memoryBytes > MOST_MEMORY) {
            throw new IllegalArgumentException(
                    "need memory as a positive multiple of 2 MiB up to 2^52, got " + memoryBytes);
        }
        if (maxInstructions <= 0) {
            throw new IllegalArgumentException("need at least one instruction to run, got " + maxInstructions);
        }
    }

    /**
     * The default scenario, from which others are made.
     *
     * @return the guarded key-value server with one overrun, as embedded in the library
     */
    public static Scenario defaults() {
        return ScenarioFile.embedded("kvserver");
    }

    /**
     * The same with other arguments for the guest.
     *
     * @param arguments the command line without the program's name
     * @return the changed scenario
     */
    public Scenario withArguments(String arguments) {
        return with(fidelity, new GuestImage(guest.image(), arguments), spp);
    }

    /**
     * The same with another fidelity.
     *
     * @param changed how much time is modelled
     * @return the changed scenario
     */
    public Scenario withFidelity(Fidelity changed) {
        return with(changed, guest, spp);
    }

    /**
     * The same with another plan for sub-page permissions.
     *
     * @param changed the plan
     * @return the changed scenario
     */
    public Scenario withSpp(SppPlan changed) {
        return with(fidelity, guest, changed);
    }

    /**
     * The same on another CPU model and timing preset.
     *
     * @param changedCpu CPU model
     * @param changedTiming timing preset, or empty for the model's own
     * @return the changed scenario
     */
    public Scenario withCpu(String changedCpu, String changedTiming) {
        return new Scenario(
                name, changedCpu, changedTiming, fidelity, memoryBytes, guest, eptPageSize, spp, maxInstructions);
    }

    /**
     * The same with another limit.
     *
     * @param changed retired instructions after which the run ends
     * @return the changed scenario
     */
    public Scenario withMaxInstructions(long changed) {
        return new Scenario(name, cpu, timing, fidelity, memoryBytes, guest, eptPageSize, spp, changed);
    }

    /**
     * The same with more or less guest RAM.
     *
     * @param changedBytes guest RAM, a multiple of 2 MiB
     * @return the changed scenario
     * @throws IllegalArgumentException if it is no positive multiple of 2 MiB
     */
    public Scenario withMemory(long changedBytes) {
        return new Scenario(name, cpu, timing, fidelity, changedBytes, guest, eptPageSize, spp, maxInstructions);
    }

    /**
     * The same with another EPT page size.
     *
     * @param changed largest page with which guest memory is mapped
     * @return the changed scenario
     */
    public Scenario withEptPageSize(EptPageSize changed) {
        return new Scenario(name, cpu, timing, fidelity, memoryBytes, guest, changed, spp, maxInstructions);
    }

    private Scenario with(Fidelity changedFidelity, GuestImage changedGuest, SppPlan changedSpp) {
        return new Scenario(
                name,
                cpu,
                timing,
                changedFidelity,
                memoryBytes,
                changedGuest,
                eptPageSize,
                changedSpp,
                maxInstructions);
    }
}
