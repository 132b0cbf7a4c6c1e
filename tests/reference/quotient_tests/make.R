# Reference values of tests/specialization/test_quotient_test.py, from base R (made with 4.2.2):
#   Rscript tests/reference/quotient_tests/make.R > tests/reference/quotient_tests/values.csv
# count of `sector` jobs in a region with `base` of `total` jobs. fisher.test finds its limits to about
# 1e-4 only, so they are also solved here from the same density with a tight tolerance.

cells <- read.csv(text = "count,sector,base,total
0,3,10,100
3,3,10,100
1,1,2,4
2,40,100,800
9,12,100,300
5,12,100,300
7,200,1000,20000
60,200,1000,20000
95,100,950,1000
80,100,950,1000
300,2000,2000,40000
150,2000,2000,40000
1200,30000,50000,1000000
1700,30000,50000,1000000
30476,200000,5000000,62360594
20000,200000,5000000,62360594
1,1000,40,62360594
12,1000,40000,62360594")

limit <- function(count, sector, base, total, tail, level = 0.025) {
  support <- max(0, base + sector - total):min(base, sector)
  density <- dhyper(support, base, total - base, sector, log = TRUE)
  if (tail == "low" && count == min(support)) return(0)
  if (tail == "high" && count == max(support)) return(Inf)
  chosen <- if (tail == "low") support >= count else support <= count
  excess <- function(log_odds) {
    weight <- density + log_odds * support
    weight <- exp(weight - max(weight))
    log(sum(weight[chosen]) / sum(weight)) - log(level)
  }
  exp(uniroot(excess, c(-12, 12), tol = 1e-14, maxiter = 1000)$root)
}

for (row in seq_len(nrow(cells))) {
  cell <- cells[row, ]
  share <- cell$base / cell$total
  exact <- binom.test(cell$count, cell$sector, share)
  both <- matrix(c(cell$count, cell$sector - cell$count, cell$base - cell$count,
                   cell$total - cell$base - cell$sector + cell$count), 2)
  fisher <- fisher.test(both)$conf.int
  cells[row, "binomial_above"] <- pbinom(cell$count - 1, cell$sector, share, lower.tail = FALSE)
  cells[row, "binomial_below"] <- pbinom(cell$count, cell$sector, share)
  cells[row, "chance_low"] <- exact$conf.int[1]
  cells[row, "chance_high"] <- exact$conf.int[2]
  cells[row, "hypergeometric_above"] <- phyper(cell$count - 1, cell$base, cell$total - cell$base,
                                               cell$sector, lower.tail = FALSE)
  cells[row, "hypergeometric_below"] <- phyper(cell$count, cell$base, cell$total - cell$base, cell$sector)
  cells[row, "odds_low"] <- limit(cell$count, cell$sector, cell$base, cell$total, "low")
  cells[row, "odds_high"] <- limit(cell$count, cell$sector, cell$base, cell$total, "high")
  cells[row, "fisher_low"] <- fisher[1]
  cells[row, "fisher_high"] <- fisher[2]
}
write.csv(format(cells, digits = 15, trim = TRUE), quote = FALSE, row.names = FALSE)
