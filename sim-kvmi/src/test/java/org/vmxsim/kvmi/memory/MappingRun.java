package org.vmxsim.kvmi.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.kvmi.memory.MappingWorld.EFAULT;
import static org.vmxsim.kvmi.memory.MappingWorld.EINVAL;
import static org.vmxsim.kvmi.memory.MappingWorld.ENOENT;
import static org.vmxsim.kvmi.memory.MappingWorld.PAGE;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.host.SamePages;

/**
 * Random tokens, maps, unmaps, stores of guests, and whatever the host does to their pages, on three virtual machines,
 * against {@link NaiveMappings}. With vCPUs every load and store is a guest's, through EPT; without, no table of KVM
 * takes a frame, and all frames must be free at the end.
 */
final class MappingRun {
    private static final int VMS = 3;
    private static final int PAGES = 8;
    private static final long HOLE = 1L << 32;
    private static final long CODE = 0x100 * PAGE;
    private static final long ELSEWHERE = 0x1000_0000;
    private static final long SECOND = 1_000_000_000L;
    private static final int MOST_TOKENS = 9;

    private static final class Token {
        final byte[] bytes;
        final int vm;
        final Vm target;
        final long issuedNanos;
        boolean used;

        Token(byte[] bytes, int vm, Vm target, long issuedNanos) {
            this.bytes = bytes;
            this.vm = vm;
            this.target = target;
            this.issuedNanos = issuedNanos;
        }
    }

    private final MappingWorld world = new MappingWorld(Set.of(), MapTokenPolicy.V6);
    private final long freeBytes = world.kvm.freeBytes();
    private final SamePages samePages = new SamePages(world.kvm.hostFrames());
    private final NaiveMappings naive = new NaiveMappings(VMS, PAGES);
    private final Vm[] vms = new Vm[VMS];
    private final Vcpu[] vcpus = new Vcpu[VMS];
    private final List<Token> tokens = new ArrayList<>();
    private final boolean guests;
    /** Whether the mapping of a virtual machine's memory was cut, which huge pages need whole. */
    private final boolean[] cut = new boolean[VMS];

    private int deaths;
    private Random random;

    MappingRun(boolean guests) {
        this.guests = guests;
        for (int vm = 0; vm < VMS; vm++) {
            newVm(vm, 0x10 * (vm + 1));
        }
    }

    private void newVm(int number, int first) {
        Vm vm = world.kvm.createVm();
        long hva = vm.host().map(2 << 20, PageSize.SIZE_4K);
        vm.setUserMemoryRegion(0, 0, 0, 4 * PAGE, hva);
        vm.setUserMemoryRegion(1, 0, 4 * PAGE, 4 * PAGE, hva + 4 * PAGE);
        vm.setUserMemoryRegion(2, 0, 8 * PAGE, (2 << 20) - 8 * PAGE, hva + 8 * PAGE);
        for (int page = 0; page < PAGES; page++) {
            MappingWorld.write(vm, page * PAGE, first + page);
        }
        // MOV AL, [EBX]; HLT and MOV [EBX], AL; HLT
        vm.memory().load(CODE, new byte[] {(byte) 0x8a, 3, (byte) 0xf4, (byte) 0x88, 3, (byte) 0xf4});
        vms[number] = vm;
        vcpus[number] = guests ? vm.createVcpu() : null;
        naive.newVm(number, first);
        cut[number] = false;
    }

    void run(List<Integer> steps) {
        for (int step : steps) {
            random = new Random(step);
            step(step % 34);
            checkList();
            if (random.nextInt(8) == 0) {
                checkAll();
            }
        }
        checkAll();
        end();
    }

    private void step(int operation) {
        switch (operation) {
            case 0, 1, 2, 3, 4, 5, 6 -> map();
            case 7, 8, 9 -> unmap();
            case 10, 11, 12, 13, 14 -> store();
            case 15, 16, 17 -> check(anyVm(), anyPage());
            case 18 -> issue(anyVm());
            case 19 -> world.nanos += random.nextLong(2 * SECOND);
            case 20 -> discard();
            case 21 -> moveAndBack();
            case 22 -> memslotGoesAndComes();
            case 23 -> memslotMovesAndBack();
            case 24 -> swapOut();
            case 25 -> vms[0].host().reclaim().swapIn(hva(0, anyPage()));
            case 26 -> migrate();
            case 27 -> collapse();
            case 28 -> split();
            case 29 -> merge();
            case 30 -> fork();
            case 31 -> protectAndBack();
            case 32 -> die();
            case 33 -> vms[anyVm()].host().reclaim().reclaim(3);
            default -> throw new AssertionError(operation);
        }
    }

    private int anyVm() {
        return random.nextInt(VMS);
    }

    private int anyPage() {
        return random.nextInt(random.nextInt(4) == 0 ? PAGES : 3);
    }

    private long hva(int vm, int page) {
        return HostMemory.FIRST_HVA + page * PAGE;
    }

    private boolean isAlive(Token token) {
        return !token.used && world.nanos / SECOND * SECOND - token.issuedNanos <= 3 * SECOND;
    }

    private Token issue(int vm) {
        long alive = tokens.stream()
                .filter(token -> token.target == vms[vm] && isAlive(token))
                .count();
        MapTokens.Issued issued = world.tokens.issue(vms[vm]);
        assertThat(issued.error()).isEqualTo(alive >= MOST_TOKENS ? KvmiError.EAGAIN : null);
        if (issued.error() != null) {
            return null;
        }
        Token token = new Token(issued.token(), vm, vms[vm], world.nanos);
        tokens.add(token);
        return token;
    }

    private Token anyToken() {
        if (random.nextInt(4) > 0 || tokens.isEmpty()) {
            return issue(anyVm());
        }
        return tokens.get(random.nextInt(tokens.size()));
    }

    private void map() {
        int caller = anyVm();
        int mapPage = anyPage();
        int reqPage = anyPage();
        long mapGpa = random.nextInt(20) == 0 ? HOLE : mapPage * PAGE + random.nextInt(2);
        long reqGpa = random.nextInt(20) == 0 ? HOLE : reqPage * PAGE + random.nextInt(2);
        Token token = anyToken();
        if (token == null) {
            return;
        }
        long expected;
        if (!isAlive(token)) {
            expected = ENOENT;
        } else if (mapGpa == HOLE || reqGpa == HOLE) {
            expected = EFAULT;
        } else if (token.target != vms[token.vm]) {
            expected = EINVAL;
        } else {
            expected = naive.map(caller, mapPage, token.vm, reqPage);
        }
        token.used = true;
        assertThat(world.mappings.map(vms[caller], token.bytes, reqGpa, mapGpa)).isEqualTo(expected);
    }

    private void unmap() {
        int caller = anyVm();
        int page = anyPage();
        assertThat(world.mappings.unmap(vms[caller], page * PAGE)).isEqualTo(naive.unmap(caller, page));
    }

    private void store() {
        int vm = anyVm();
        int page = anyPage();
        int value = random.nextInt(3);
        boolean first = random.nextBoolean();
        long gpa = page * PAGE + (first ? 0 : PAGE - 1);
        if (guests) {
            MappingWorld.start(vcpus[vm], CODE + 3, gpa, value);
            MappingWorld.runToHlt(vcpus[vm]);
        } else {
            MappingWorld.write(vms[vm], gpa, value);
        }
        NaiveMappings.Content content = naive.visible(vm, page);
        content.first = first ? value : content.first;
        content.last = first ? content.last : value;
    }

    private int load(int vm, long gpa) {
        if (!guests) {
            return MappingWorld.read(vms[vm], gpa);
        }
        MappingWorld.start(vcpus[vm], CODE, gpa, 0);
        return (int) MappingWorld.runToHlt(vcpus[vm]) & 0xff;
    }

    private void check(int vm, int page) {
        NaiveMappings.Content content = naive.visible(vm, page);
        assertThat(load(vm, page * PAGE)).as("vm %d page %d", vm, page).isEqualTo(content.first);
        assertThat(load(vm, page * PAGE + PAGE - 1))
                .as("vm %d page %d", vm, page)
                .isEqualTo(content.last);
    }

    private void checkAll() {
        for (int vm = 0; vm < VMS; vm++) {
            for (int page = 0; page < PAGES; page++) {
                check(vm, page);
            }
        }
    }

    private void checkList() {
        List<String> expected = new ArrayList<>();
        for (int vm = 0; vm < VMS; vm++) {
            for (int page = 0; page < PAGES; page++) {
                NaiveMappings.Shown seen = naive.shown[vm][page];
                if (seen != null) {
                    expected.add(text(vm, page, seen.targetDied ? -1 : seen.target, seen.page, seen.live));
                }
            }
        }
        List<Vm> known = List.of(vms);
        assertThat(world.mappings.mappings().stream()
                        .map(mapping -> text(
                                known.indexOf(mapping.caller()),
                                mapping.mapGpa() >>> 12,
                                known.indexOf(mapping.target()),
                                mapping.reqGpa() >>> 12,
                                mapping.live())))
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    private static String text(int caller, long mapPage, int target, long reqPage, boolean live) {
        return caller + ":" + mapPage + " shows " + target + ":" + reqPage + (live ? "" : " as it was");
    }

    private void discard() {
        int vm = anyVm();
        int page = anyPage();
        vms[vm].host().ranges().discard(hva(vm, page), PAGE);
        naive.leave(vm, page, page);
        naive.own[vm][page] = new NaiveMappings.Content(0, 0);
    }

    private void moveAndBack() {
        int vm = anyVm();
        int page = anyPage();
        vms[vm].host().ranges().move(hva(vm, page), PAGE, ELSEWHERE);
        vms[vm].host().ranges().move(ELSEWHERE, PAGE, hva(vm, page));
        cut[vm] = true;
        naive.leave(vm, page, page);
    }

    private void memslotGoesAndComes() {
        int vm = anyVm();
        int slot = random.nextInt(2);
        vms[vm].setUserMemoryRegion(slot, 0, 0, 0, 0);
        vms[vm].setUserMemoryRegion(slot, 0, 4 * slot * PAGE, 4 * PAGE, hva(vm, 4 * slot));
        naive.leave(vm, 4 * slot, 4 * slot + 3);
    }

    private void memslotMovesAndBack() {
        int vm = anyVm();
        int slot = random.nextInt(2);
        vms[vm].setUserMemoryRegion(slot, 0, HOLE, 4 * PAGE, hva(vm, 4 * slot));
        vms[vm].setUserMemoryRegion(slot, 0, 4 * slot * PAGE, 4 * PAGE, hva(vm, 4 * slot));
        naive.leave(vm, 4 * slot, 4 * slot + 3);
    }

    private void swapOut() {
        int vm = anyVm();
        int page = anyPage();
        boolean gone = vms[vm].host().reclaim().swapOut(hva(vm, page));
        assertThat(gone && naive.isShared(vm, page)).isFalse();
    }

    private void migrate() {
        int vm = anyVm();
        vms[vm].host().reclaim().migrate(hva(vm, anyPage()));
    }

    private void collapse() {
        int vm = anyVm();
        boolean shared = false;
        for (int page = 0; page < PAGES; page++) {
            shared |= naive.isShared(vm, page);
        }
        boolean done = !cut[vm] && vms[vm].host().hugePages().collapse(hva(vm, 0));
        assertThat(done && shared).isFalse();
    }

    private void split() {
        int vm = anyVm();
        vms[vm].host().hugePages().split(hva(vm, 0));
    }

    private void merge() {
        int one = anyVm();
        int other = anyVm();
        samePages.merge(vms[one].host(), hva(one, anyPage()), vms[other].host(), hva(other, anyPage()));
    }

    private void fork() {
        int vm = anyVm();
        HostMemory child = new HostMemory(world.kvm.hostFrames());
        vms[vm].host().ranges().shareCopyOnWrite(hva(vm, 0), PAGES * PAGE, child, ELSEWHERE);
        if (random.nextBoolean()) {
            store();
        } else {
            for (int page = 0; page < PAGES; page++) {
                assertThat(child.read(ELSEWHERE + page * PAGE, 1)[0] & 0xff).isEqualTo(naive.visible(vm, page).first);
            }
        }
        child.write(ELSEWHERE + anyPage() * PAGE, new byte[] {77});
        child.ranges().unmapAll();
    }

    private void protectAndBack() {
        int vm = anyVm();
        int page = anyPage();
        vms[vm].host().ranges().protect(hva(vm, page), PAGE, false);
        vms[vm].host().ranges().protect(hva(vm, page), PAGE, true);
        cut[vm] = true;
    }

    private void die() {
        if (deaths == 3) {
            return;
        }
        int vm = anyVm();
        end(vm);
        naive.die(vm);
        newVm(vm, 0x50 + 0x10 * deaths++);
    }

    /** Whoever tells first. */
    private void end(int vm) {
        if (random.nextBoolean()) {
            world.mappings.vmDestroyed(vms[vm]);
            vms[vm].host().ranges().unmapAll();
        } else {
            vms[vm].host().ranges().unmapAll();
            world.mappings.vmDestroyed(vms[vm]);
        }
    }

    private void end() {
        random = new Random(0);
        for (int vm = 0; vm < VMS; vm++) {
            end(vm);
        }
        assertThat(world.mappings.mappings()).isEmpty();
        assertThat(world.kvm.hostFrames().sharedFrames()).isZero();
        assertThat(world.kvm.hostFrames().swapPagesUsed()).isZero();
        if (!guests) {
            assertThat(world.kvm.freeBytes()).isEqualTo(freeBytes);
        }
    }
}
