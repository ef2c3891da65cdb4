package org.vmxsim.core.platform.pic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Values typed from the 8259A data sheet, in the set-up of a PC: vectors 0x20 and 0x28. */
class PicPairTest {
    private static final int EOI = 0x20;

    private int changes;
    private final PicPair pic = new PicPair(() -> changes++);

    @BeforeEach
    void initialize() {
        initialize(0x11, 1);
    }

    private void initialize(int icw1, int icw4) {
        out(0x20, icw1, 0xa0, icw1);
        out(0x21, 0x20, 0xa1, 0x28);
        out(0x21, 0x04, 0xa1, 0x02);
        out(0x21, icw4, 0xa1, icw4);
    }

    private void out(int... portsAndValues) {
        for (int i = 0; i < portsAndValues.length; i += 2) {
            pic.out(portsAndValues[i], 1, portsAndValues[i + 1]);
        }
    }

    private void pulse(int... inputs) {
        for (int input : inputs) {
            pic.input(input, false);
            pic.input(input, true);
        }
    }

    @Test
    @DisplayName("Lower numbers come first, and what is in service holds back its equals and lower ones")
    void fixedPriorities() {
        pulse(5, 1);
        assertThat(changes).isEqualTo(1);
        assertThat(pic.vector()).isEqualTo(0x21);
        assertThat(pic.acknowledge()).isEqualTo(0x21);
        assertThat(pic.output()).isFalse();
        pulse(0);
        assertThat(pic.acknowledge()).isEqualTo(0x20);
        out(0x20, 0x0b);
        assertThat(pic.in(0x20, 1)).as("ISR").isEqualTo(0x03);
        out(0x20, 0x0a);
        assertThat(pic.in(0x20, 1)).as("IRR").isEqualTo(0x20);
        out(0x20, EOI);
        assertThat(pic.output()).isFalse();
        out(0x20, EOI);
        assertThat(pic.acknowledge()).isEqualTo(0x25);
    }

    @Test
    @DisplayName("An edge asks once; a level asks as long as it is there")
    void edgeAndLevel() {
        pulse(3);
        assertThat(pic.acknowledge()).isEqualTo(0x23);
        out(0x20, EOI);
        assertThat(pic.output()).isFalse();
        out(0x4d0, 0xff);
        assertThat(pic.in(0x4d0, 1)).as("0 to 2 stay edges").isEqualTo(0xf8);
        assertThat(pic.acknowledge()).isEqualTo(0x23);
        out(0x20, EOI);
        assertThat(pic.acknowledge()).isEqualTo(0x23);
        out(0x4d1, 0xff);
        assertThat(pic.in(0x4d1, 1)).as("8 and 13 stay edges").isEqualTo(0xde);
        initialize(0x19, 1);
        out(0x4d0, 0);
        assertThat(pic.output()).as("LTIM: input 3 is still high").isTrue();
    }

    @Test
    @DisplayName("The mask holds requests back and does not forget them")
    void mask() {
        out(0x21, 0xfd);
        pulse(1, 4);
        assertThat(pic.in(0x21, 1)).isEqualTo(0xfd);
        assertThat(pic.acknowledge()).isEqualTo(0x21);
        out(0x20, EOI, 0x21, 0);
        assertThat(pic.acknowledge()).isEqualTo(0x24);
    }

    @Test
    @DisplayName("A request that goes away gives IR7, of the slave IR15; neither is in service there")
    void spurious() {
        pulse(4);
        pic.input(4, false);
        assertThat(pic.output()).isFalse();
        assertThat(pic.acknowledge()).isEqualTo(0x27);
        out(0x20, 0x0b);
        assertThat(pic.in(0x20, 1)).isZero();
        // the master has seen the slave's request; the slave's input has gone when it answers
        out(0x4d0, 0, 0x21, 0xff);
        pulse(12);
        out(0xa1, 0xff);
        assertThat(pic.output()).isFalse();
        assertThat(pic.acknowledge()).isEqualTo(0x27);
    }

    @Test
    @DisplayName("The slave answers for its inputs behind input 2; both need an end of interrupt")
    void cascade() {
        pulse(10, 8);
        assertThat(pic.vector()).isEqualTo(0x28);
        assertThat(pic.acknowledge()).isEqualTo(0x28);
        out(0x20, 0x0b, 0xa0, 0x0b);
        assertThat(pic.in(0x20, 1)).isEqualTo(0x04);
        assertThat(pic.in(0xa0, 1)).isEqualTo(0x01);
        out(0xa0, EOI);
        assertThat(pic.output()).as("the master still serves input 2").isFalse();
        out(0x20, EOI);
        assertThat(pic.acknowledge()).isEqualTo(0x2a);
    }

    @Test
    @DisplayName("Special fully nested mode: a higher input of the slave interrupts a lower one")
    void specialFullyNested() {
        initialize(0x11, 0x11);
        pulse(10);
        assertThat(pic.acknowledge()).isEqualTo(0x2a);
        pulse(9);
        assertThat(pic.acknowledge()).isEqualTo(0x29);
        initialize(0x11, 0x01);
        pulse(10);
        assertThat(pic.acknowledge()).isEqualTo(0x2a);
        pulse(9);
        assertThat(pic.output()).as("normal nesting").isFalse();
    }

    @Test
    @DisplayName("Automatic end of interrupt leaves nothing in service; with rotation the served becomes lowest")
    void automaticEnd() {
        initialize(0x11, 0x03);
        pulse(1, 3);
        assertThat(pic.acknowledge()).isEqualTo(0x21);
        assertThat(pic.acknowledge()).isEqualTo(0x23);
        out(0x20, 0x80);
        pulse(1);
        assertThat(pic.acknowledge()).isEqualTo(0x21);
        pulse(1, 7);
        assertThat(pic.acknowledge()).as("1 is lowest now").isEqualTo(0x27);
    }

    @Test
    @DisplayName("Rotations: on EOI, on specific EOI, by command; the data sheet's example of input 4")
    void rotation() {
        pulse(4, 6);
        assertThat(pic.acknowledge()).isEqualTo(0x24);
        out(0x20, 0xa0);
        pulse(4);
        assertThat(pic.acknowledge()).as("4 is lowest, 6 comes before").isEqualTo(0x26);
        out(0x20, 0xe6);
        pulse(6, 7);
        assertThat(pic.acknowledge()).as("6 is lowest, 7 highest").isEqualTo(0x27);
        out(0x20, 0x67, 0x20, 0xc3);
        pulse(3);
        assertThat(pic.acknowledge()).as("3 is lowest, 4 highest").isEqualTo(0x24);
    }

    @Test
    @DisplayName("Special mask: a masked input in service holds nothing back, and no plain EOI ends it")
    void specialMask() {
        pulse(2 + 1);
        assertThat(pic.acknowledge()).isEqualTo(0x23);
        pulse(5);
        assertThat(pic.output()).isFalse();
        out(0x21, 0x08, 0x20, 0x68);
        assertThat(pic.acknowledge()).isEqualTo(0x25);
        out(0x20, EOI, 0x20, 0x0b);
        assertThat(pic.in(0x20, 1)).isEqualTo(0x08);
        out(0x20, EOI);
        assertThat(pic.in(0x20, 1)).isEqualTo(0x08);
        out(0x20, 0x48, 0x20, EOI);
        assertThat(pic.in(0x20, 1)).isZero();
    }

    @Test
    @DisplayName("A poll is an acknowledge by reading")
    void poll() {
        pulse(6);
        out(0x20, 0x0c);
        assertThat(pic.in(0x20, 1)).isEqualTo(0x86);
        assertThat(pic.output()).isFalse();
        out(0x20, 0x0c);
        assertThat(pic.in(0x20, 1)).as("nothing waits").isZero();
        pulse(9, 11);
        out(0x20, 0x66, 0x20, 0x0c);
        assertThat(pic.in(0x20, 1)).isEqualTo(0x82);
        out(0xa0, 0x0c);
        assertThat(pic.in(0xa0, 1)).isEqualTo(0x81);
        out(0xa0, EOI, 0x20, EOI);
        assertThat(pic.acknowledge()).isEqualTo(0x2b);
    }

    @Test
    @DisplayName("ICW1 clears mask, edges and service, and without IC4 the functions of ICW4")
    void reinitialization() {
        initialize(0x11, 0x03);
        out(0x21, 0xff);
        pulse(4);
        out(0x20, 0x10, 0x21, 0x40, 0x21, 0x04);
        assertThat(pic.in(0x21, 1)).isZero();
        assertThat(pic.output()).as("the edge is forgotten").isFalse();
        pulse(4);
        assertThat(pic.acknowledge()).isEqualTo(0x44);
        out(0x20, 0x0b);
        assertThat(pic.in(0x20, 1)).as("no automatic end").isEqualTo(0x10);
        out(0x20, 0x13, 0x21, 0x50, 0x21, 0x01, 0x21, 0xa5);
        assertThat(pic.in(0x21, 1)).as("single: no ICW3").isEqualTo(0xa5);
    }

    @Test
    void theCascadeInputBelongsToTheSlave() {
        assertThatThrownBy(() -> pic.input(2, true)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> pic.input(16, true)).isInstanceOf(IllegalArgumentException.class);
    }
}
