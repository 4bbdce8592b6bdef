"""One process of the project: the published test, from start to a posterior on disk."""

import json
import sys
import time
from pathlib import Path

import own

import hepaflux as hf

OUT = Path(__file__).resolve().parent / "out"


def main(started):
    model = hf.build_model(own.study("pacini"), own.system())
    posterior = hf.fit(model, seed=1)
    OUT.mkdir(exist_ok=True)
    posterior.to_netcdf(OUT / "own_pacini.nc", engine="h5netcdf")
    print(json.dumps({"total_seconds": round(time.time() - started, 2)}))


if __name__ == "__main__":
    main(float(sys.argv[1]))
