package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.boot.MultibootImage;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.platform.DebugExit;
import org.vmxsim.core.platform.Uart16550;

@DisplayName("7,740 ring-0 scenarios end as they do on QEMU: same program, same console output")
class Ring0ScenariosTest {
    private static final long RAM_BYTES = 64 << 20;
    private static final long BUDGET = 200_000_000;
    private static final int SHOWN = 10;

    private final PhysicalMemory memory = PhysicalMemory.flat(RAM_BYTES);
    private final StringBuilder console = new StringBuilder();

    @ParameterizedTest
    @EnumSource
    void endAsRecorded(BareProcessor engine) throws IOException {
        PortBus ports = new PortBus();
        Processor cpu = engine.over(memory, ports, CpuModel.named("icelake-sp"));
        DebugExit exit = new DebugExit(() -> cpu.stop(StopReason.REQUESTED));
        ports.attach(Uart16550.COM1, Uart16550.PORTS, new Uart16550(value -> console.append((char) value)));
        ports.attach(DebugExit.PORT, DebugExit.PORTS, exit);
        image().load(ram(), "ring0", List.of()).apply(cpu);
        cpu.modeChanged();

        StopReason reason = cpu.run(BUDGET);

        assertThat(differences()).isEmpty();
        assertThat(reason).isEqualTo(StopReason.REQUESTED);
        assertThat(exit.code()).isZero();
    }

    private List<String> differences() {
        List<String> printed = console.toString().lines().toList();
        List<String> recorded = RecordedCase.lines();
        List<String> different = new ArrayList<>();
        for (int i = 0; i < Math.max(printed.size(), recorded.size()) && different.size() < SHOWN; i++) {
            String is = i < printed.size() ? printed.get(i) : "nothing";
            String must = i < recorded.size() ? recorded.get(i) : "nothing";
            if (!is.equals(must)) {
                different.add("line " + (i + 1) + "\n  is   " + is + "\n  must " + must);
            }
        }
        return different;
    }

    private static MultibootImage image() throws IOException {
        try (InputStream resource = Ring0ScenariosTest.class.getResourceAsStream("ring0.elf")) {
            return MultibootImage.parse(resource.readAllBytes());
        }
    }

    private GuestMemory ram() {
        return new GuestMemory() {
            @Override
            public void load(long address, byte[] bytes) {
                memory.load(address, bytes);
            }

            @Override
            public long lowRamBytes() {
                return RAM_BYTES;
            }
        };
    }
}
