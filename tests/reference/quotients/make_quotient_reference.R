# Values of four R packages on the tables of make_quotient_reference.py; see README.md.
# Run in this folder: Rscript make_quotient_reference.R FOLDER, with the packages' own R files in FOLDER.
for (file in list.files(commandArgs(TRUE)[1], pattern = "\\.[rR]$", full.names = TRUE)) source(file)

jobs <- as.matrix(read.csv("jobs.csv", row.names = 1))
all_jobs <- read.csv("all_jobs.csv", row.names = 1)[[1]]
places <- read.csv("places.csv", row.names = 1)
national <- as.matrix(read.csv("national.csv", row.names = 1))
regional <- as.matrix(read.csv("regional.csv", row.names = 1))

keep <- function(values, package, quantity) {
  data.frame(package, quantity, row = rep(rownames(values), ncol(values)),
             column = rep(colnames(values), each = nrow(values)),
             value = format(as.vector(values), digits = 15, trim = TRUE))
}
like <- function(cells, names) matrix(cells, nrow(names), ncol(names), dimnames = dimnames(names))

# REAT: one cell at a time, with a base larger than the sum of the sectors.
reat <- like(0, jobs)
for (i in seq_len(nrow(jobs))) for (j in seq_len(ncol(jobs))) {
  reat[i, j] <- locq(jobs[i, j], all_jobs[i], sum(jobs[, j]), sum(all_jobs))
}

# UtilMio: region A against the country, delta 0.3.
a <- jobs[1, ]
b <- colSums(jobs)
square <- like(0, national)

# lctools: the first sector, the three nearest places with the place itself among them.
window <- function(kind) {
  FLQ_lctools(places, 3, jobs[, 1], all_jobs, sum(jobs[, 1]) / sum(all_jobs), WType = kind)$FLQ
}
first <- jobs[, 1, drop = FALSE]

values <- rbind(
  keep(reat, "REAT", "locq"),
  keep(like(location_quotient(jobs), jobs), "EconGeo", "location_quotient"),
  keep(like(rca(jobs), jobs), "EconGeo", "rca"),
  keep(like(CILQ(a, b), square), "UtilMio", "CILQ"),
  keep(like(MOSLQ(a, b), square), "UtilMio", "MOSLQ"),
  keep(like(RLQ(a, b), square), "UtilMio", "RLQ"),
  keep(like(FLQ(a, b, 0.3), square), "UtilMio", "FLQ"),
  keep(like(AFLQ(a, b, 0.3), square), "UtilMio", "AFLQ"),
  keep(matrix(WAPE(national, regional), 1, 1, dimnames = list("all", "all")), "UtilMio", "WAPE"),
  keep(like(window("Binary"), first), "lctools", "Binary"),
  keep(like(window("Bi-square"), first), "lctools", "Bi-square")
)
write.csv(values, "r_packages.csv", row.names = FALSE, quote = FALSE)
