"""One rank of all-reduce and of data-parallel training, with gloo, on the CPU. Runs in a Pod with PyTorch.

    python3 - RANK RANKS ADDRESS PORT SECONDS <ranks.py

ADDRESS and PORT are rank 0's; GLOO_SOCKET_IFNAME says through which device. Rank 0 prints one JSON object: for each
size `all-reduce-SIZE/bus-gbits`, and `ddp/samples` a second. The bus bandwidth is nccl-tests': size / time x 2(n-1)/n.
"""

# pyright: basic, reportMissingImports=false
import json
import sys
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

KIB = 1024
SIZES = {"32KiB": 32 * KIB, "256KiB": 256 * KIB, "1MiB": KIB**2, "4MiB": 4 * KIB**2, "16MiB": 16 * KIB**2,
         "64MiB": 64 * KIB**2}  # fmt: skip
BATCH, WIDTH = 32, 512


def agreed(spent):
    """Whether rank 0's time is up, for all: a rank that stops by its own clock would leave the others waiting."""
    word = torch.tensor([1.0 if spent else 0.0])
    dist.broadcast(word, 0)
    return bool(word.item())


def bus_gbits(size, seconds, ranks):
    """Gbit/s on the wire of each rank, from the middle time of one all-reduce."""
    data = torch.ones(size // 4)
    for _ in range(2):
        dist.all_reduce(data)
    times, began = [], time.perf_counter()
    while not agreed(time.perf_counter() - began > seconds and len(times) >= 3):
        data.fill_(1)
        dist.barrier()
        start = time.perf_counter()
        dist.all_reduce(data)
        times.append(time.perf_counter() - start)
        if data[0].item() != ranks:
            raise SystemExit(f"the sum of {ranks} ones came out as {data[0].item()}")
    # Of the slowest rank: who is done first has not waited for the others.
    middle = torch.tensor([sorted(times)[len(times) // 2]])
    dist.all_reduce(middle, op=dist.ReduceOp.MAX)
    return size * 8 / 1e9 / middle.item() * 2 * (ranks - 1) / ranks


def samples(seconds, ranks):
    """Samples a second, of all ranks together, of a small model: about 3 MB of gradients a step."""
    layers = [torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU()]
    model = DistributedDataParallel(torch.nn.Sequential(*layers, torch.nn.Linear(WIDTH, WIDTH)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    inputs, wanted = torch.randn(BATCH, WIDTH), torch.randn(BATCH, WIDTH)
    steps, began = -2, 0.0
    while not agreed(steps > 0 and time.perf_counter() - began > seconds):
        if steps == 0:
            began = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(inputs), wanted).backward()
        optimizer.step()
        steps += 1
    return steps * BATCH * ranks / (time.perf_counter() - began)


def main(rank, ranks, address, port, seconds):
    torch.set_num_threads(1)
    torch.manual_seed(rank)
    dist.init_process_group("gloo", init_method=f"tcp://{address}:{port}", rank=rank, world_size=ranks)
    began = time.perf_counter()
    part = seconds / (len(SIZES) + 2)
    found = {f"all-reduce-{name}/bus-gbits": bus_gbits(size, part, ranks) for name, size in SIZES.items()}
    found["ddp/samples"] = samples(2 * part, ranks)
    if rank == 0:
        print(json.dumps({**found, "seconds": time.perf_counter() - began}))
    dist.barrier()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], float(sys.argv[5]))
