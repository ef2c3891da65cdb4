package org.vmxsim.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** What the interrupt key does to a run that leaves a report: the run ends early, and the report is still written. */
final class Interrupt implements AutoCloseable {
    private static final long MOST_SECONDS = 60;

    private final CountDownLatch written = new CountDownLatch(1);
    private final Thread hook = new Thread(this::wish, "interrupt");
    private volatile boolean wished;

    Interrupt() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Whether the run shall end. */
    boolean wished() {
        return wished;
    }

    private void wish() {
        wished = true;
        try {
            written.await(MOST_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The report is written: the interrupt key has nothing to wait for. */
    @Override
    public void close() {
        written.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The program is ending, since the key was pressed: the hook is running, and has nothing to wait for now.
        }
    }
}
