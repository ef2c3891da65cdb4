package org.vmxsim.core.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.memory.PortDevice;

@DisplayName("IN, OUT, INS, OUTS: SDM \"I/O Port Addressing\", \"Exit Qualification for I/O Instructions\"")
class PortTest {
    private final Scene scene = Scene.of64();
    private final List<String> traffic = new ArrayList<>();

    @BeforeEach
    void device() {
        scene.ports.attach(0x60, 0x20, new PortDevice() {
            @Override
            public int in(int port, int sizeBytes) {
                traffic.add("in " + Integer.toHexString(port) + " " + sizeBytes);
                return 0x8899_aabb;
            }

            @Override
            public void out(int port, int sizeBytes, int value) {
                traffic.add("out " + Integer.toHexString(port) + " " + sizeBytes + " " + Integer.toHexString(value));
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "e460, 11223344556677bb",
        "66e560, 112233445566aabb",
        "e560, 8899aabb",
        "48e560, 8899aabb",
        "e400, 11223344556677ff",
        "e500, ffffffff"
    })
    @DisplayName("IN writes AL, AX or EAX, the last zero-extended; an idle bus reads ones")
    void in(String hex, String rax) {
        scene.r(CpuState.RAX, 0x1122_3344_5566_7788L);
        assertThat(scene.run(hex)).isEqualTo("ok");
        assertThat(scene.r(CpuState.RAX)).isEqualTo(Long.parseUnsignedLong(rax, 16));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "e460, 600048",
        "66e560, 600049",
        "e560, 60004b",
        "ec, 640008",
        "ef, 640003",
        "66ef, 640001",
        "6c, 640018",
        "f36d, 64003b",
        "6e, 640010",
        "f3666f, 640031"
    })
    @DisplayName("exit qualification: size, direction, string, REP, operand encoding, port")
    void qualification(String hex, String qualification) {
        scene.inGuest().vmx.intercepted.add(Interception.IO);
        scene.r(CpuState.RDX, 0xabcd_0064L);
        scene.r(CpuState.RDI, Scene.HOLE);
        scene.r(CpuState.RSI, Scene.HOLE + 8);
        scene.r(CpuState.RCX, 2);
        assertThat(scene.run(hex)).as("before the memory operand").isEqualTo("exit IO");
        assertThat(scene.vmx.qualification).isEqualTo(Long.parseLong(qualification, 16));
        boolean string = (scene.vmx.qualification & 0x10) != 0;
        boolean input = (scene.vmx.qualification & 8) != 0;
        assertThat(scene.vmx.value).isEqualTo(string ? input ? Scene.HOLE : Scene.HOLE + 8 : 0);
        assertThat(traffic).isEmpty();
    }

    @Test
    @DisplayName("IOPL, then the I/O permission bit map, then the exit")
    void permission() {
        scene.level(3).inGuest().vmx.intercepted.add(Interception.IO);
        scene.cpu.segments[CpuState.TR].limit = 0xff;
        scene.memory.writeShort(Scene.TSS + 0x66, 0x80);
        scene.memory.writeByte(Scene.TSS + 0x80 + 0x60 / 8, 0b0000_0100);
        assertThat(scene.run("e460")).isEqualTo("exit IO");
        assertThat(scene.run("e462")).isEqualTo("#13(0)");
        assertThat(scene.run("e560")).as("ports 60 to 63").isEqualTo("#13(0)");
        assertThat(scene.run("66e563")).isEqualTo("exit IO");
        scene.r(CpuState.RDX, 0x3f8);
        assertThat(scene.run("ec")).as("the byte behind is beyond the limit").isEqualTo("#13(0)");
        scene.cpu.rflagsSystem |= 3 << 12;
        assertThat(scene.run("ec")).isEqualTo("exit IO");
        scene.outOfVmx();
        scene.cpu.rflagsSystem &= ~(3 << 12);
        assertThat(scene.run("e461")).isEqualTo("ok");
        assertThat(traffic).containsExactly("in 61 1");
    }

    @Test
    @DisplayName("REP INS: one element at a time; memory is known to be writable before the port is read")
    void repeatedInput() {
        scene.r(CpuState.RDX, 0x60);
        scene.r(CpuState.RCX, 2);
        scene.r(CpuState.RDI, Scene.DATA);
        assertThat(scene.run("f36d")).isEqualTo("again");
        assertThat(scene.r(CpuState.RDI)).isEqualTo(Scene.DATA + 4);
        assertThat(scene.run("f36d")).isEqualTo("ok");
        assertThat(scene.r(CpuState.RCX)).isZero();
        assertThat(scene.memory.readLong(Scene.DATA)).isEqualTo(0x8899_aabb_8899_aabbL);
        assertThat(scene.run("f36d")).as("no count, nothing").isEqualTo("ok");
        scene.r(CpuState.RDI, Scene.HOLE);
        assertThat(scene.run("6d")).isEqualTo("#14(2)");
        assertThat(traffic).containsExactly("in 60 4", "in 60 4");
    }

    @Test
    @DisplayName("OUTS goes down with DF, uses the segment of its prefix, and 32-bit addresses wrap")
    void outputString() {
        scene.cpu.rflagsSystem |= 1 << 10;
        scene.cpu.segments[CpuState.FS].base = Scene.DATA;
        scene.memory.writeShort(Scene.DATA, 0x1234);
        scene.r(CpuState.RDX, 0x70);
        scene.r(CpuState.RSI, 0xffff_ffff_0000_0000L);
        assertThat(scene.run("6467666f")).isEqualTo("ok");
        assertThat(traffic).containsExactly("out 70 2 1234");
        assertThat(scene.r(CpuState.RSI)).isEqualTo(0xffff_fffeL);
    }
}
